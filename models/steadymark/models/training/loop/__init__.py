"""What every training run shares: steps, schedule, checkpoints, time budget, several processes."""

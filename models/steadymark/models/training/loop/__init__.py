"""What all training runs share: steps, schedule, checkpoints, time budget and processes."""

"""The review of tracked recordings: doubtful stretches, their limits, and reviewed exports."""

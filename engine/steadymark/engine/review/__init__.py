"""Quality control of tracked videos: doubtful stretches, annotations, corrections, projects."""

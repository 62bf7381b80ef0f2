"""Training samples from labelled images: augmentation, degradation and synthetic sequences."""

"""Training samples made of labelled images: augmentation, degradation, sequences."""

"""Training of the networks; it needs the extra `train`."""

"""Training of the networks (needs the extra 'train')."""

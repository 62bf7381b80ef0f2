"""Training of the network that finds pupils."""

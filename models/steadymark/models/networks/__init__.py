"""The networks as torch modules, their losses and their export."""

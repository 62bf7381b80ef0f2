"""Networks, their training, and the torch-free runtime."""

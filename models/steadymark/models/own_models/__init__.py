"""Add a user's own ONNX network to the model zoo: inspect it, wrap it, and test it."""

"""The model zoo, and running its ONNX files with ONNX Runtime (no torch)."""

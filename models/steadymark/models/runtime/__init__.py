"""Networks run by ONNX Runtime, and the files they come from (no torch)."""

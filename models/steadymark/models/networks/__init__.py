"""The networks as torch modules, with their losses and their ONNX export."""

"""The 3D face of tracked landmarks: identity, expression and pose of a face model."""

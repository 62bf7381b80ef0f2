"""The face detector face_net as a trainable system."""

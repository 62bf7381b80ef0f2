"""Training of the face detector face_net."""

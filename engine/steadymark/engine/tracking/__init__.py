"""Tracking of faces: detection, association, landmark networks and head pose."""

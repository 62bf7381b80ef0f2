"""Expressions of the fitted 3D face: ARKit's shapes, action units, and settings of both."""

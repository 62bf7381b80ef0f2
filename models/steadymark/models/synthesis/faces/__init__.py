"""A photo's face as a 3D mesh that expressions and head rotation move."""

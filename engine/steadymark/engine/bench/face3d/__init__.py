"""Benchmarks of the 3D face on random faces whose pose and expression are known."""

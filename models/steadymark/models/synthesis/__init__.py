"""Synthetic images and videos whose changes are known exactly, for benchmarks and for training.

The package does not import torch.
"""

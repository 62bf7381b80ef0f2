"""Measurements that people run."""

"""Figures of the shipped models: measured, written into model cards and tables."""

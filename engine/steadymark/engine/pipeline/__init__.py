"""Threads from source to sinks, and one input tracked into its files."""

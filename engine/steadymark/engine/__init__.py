"""The streaming engine: sources, tracking, sinks; no Qt, no torch."""

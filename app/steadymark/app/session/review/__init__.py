"""The quality control of the open recording: its project, which is saved by itself, and undo."""

"""The window: thin widgets over the session."""

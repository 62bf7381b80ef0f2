"""The main window: thin widgets on top of the session."""

"""The state and the actions of the window without widgets, so that tests need no screen."""

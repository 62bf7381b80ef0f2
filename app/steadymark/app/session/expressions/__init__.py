"""Settings of the expressions that characters get: presets, and the choice of the session."""

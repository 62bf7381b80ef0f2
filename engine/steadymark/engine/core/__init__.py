"""Values, protocols and errors that every part of the engine shares."""

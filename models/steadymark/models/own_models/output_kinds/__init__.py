"""The output kinds that a user's network can have, a module each."""

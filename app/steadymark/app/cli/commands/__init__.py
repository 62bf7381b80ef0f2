"""Commands whose options are in a module of their own."""

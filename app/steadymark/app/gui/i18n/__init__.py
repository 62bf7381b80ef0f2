"""The languages of the window and the names that it translates."""

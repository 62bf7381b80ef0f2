"""Tables of the papers that a command measures again."""

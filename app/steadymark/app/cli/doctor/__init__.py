"""The command `doctor`: what is missing or wrong on this computer."""

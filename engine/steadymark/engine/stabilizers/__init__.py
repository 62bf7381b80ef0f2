"""Filters over landmarks, and the guard that resets them."""

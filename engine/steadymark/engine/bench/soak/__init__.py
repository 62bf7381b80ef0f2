"""Long runs, and what must not grow meanwhile."""

"""The commands `review`, `export` and `report`, and what they print and write."""

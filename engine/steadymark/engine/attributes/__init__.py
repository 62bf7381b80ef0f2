"""Per-face attributes: what a face carries besides its landmarks, such as the head pose."""

"""Tables and JSON files that commands print and write."""

"""Tables, plots and JSON that commands print and write."""

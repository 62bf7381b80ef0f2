"""Video files: index, decoder, exact seeks."""

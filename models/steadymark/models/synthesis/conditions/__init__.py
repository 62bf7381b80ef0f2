"""What light, cameras, codecs and occluders do to synthetic images."""

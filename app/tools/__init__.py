"""What only developers run: screenshots, translations, the demo clip, timings."""

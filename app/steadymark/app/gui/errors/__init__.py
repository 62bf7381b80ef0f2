"""The errors against ground truth: worst frames, errors by landmark, and cumulative curves."""

"""The generator of the demo clip and its exact ground truth."""

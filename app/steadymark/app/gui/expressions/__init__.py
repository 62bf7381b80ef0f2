"""The dialog of expressions: live bars, settings of each shape, and presets."""

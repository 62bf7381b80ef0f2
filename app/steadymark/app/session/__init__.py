"""What the window knows and does, without widgets: tested without a screen."""

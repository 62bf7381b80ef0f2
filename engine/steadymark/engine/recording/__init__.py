"""Where results go, and reading them back."""

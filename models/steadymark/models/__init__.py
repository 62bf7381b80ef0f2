"""Neural networks, their training, and the runtime, which runs them without torch."""

"""The threads from source to sinks, and the job that tracks one input into its files."""

"""Soak test: long runs that check that memory, threads and queues do not grow."""

"""Many inputs: what is done already, one index of all results, processes, clusters."""

"""Statistics that are measured once on data, and that the program or its trainings use."""

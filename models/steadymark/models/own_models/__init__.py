"""Networks of other people are inspected, wrapped and added to the zoo."""

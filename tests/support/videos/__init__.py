"""Videos and images made for tests."""

"""Tools for developers: screenshots, translations, the demo clip and benchmarks."""

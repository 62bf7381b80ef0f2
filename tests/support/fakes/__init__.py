"""Fakes of the engine, networks, cameras and receivers."""

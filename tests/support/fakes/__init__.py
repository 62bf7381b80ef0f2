"""Hand-written fakes of the engine, networks, cameras and receivers."""

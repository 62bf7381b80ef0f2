"""Face geometry that all networks share: landmark schemas, crops and face motion (no torch)."""

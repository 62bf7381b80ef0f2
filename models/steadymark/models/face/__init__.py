"""What a face is to every network: landmark schema, crop, motion between crops (no torch)."""

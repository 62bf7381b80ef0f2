"""Send results to other programs during tracking; nothing is sent unless the user asks for it."""

"""The persons of the open recording: who they are, their pictures, and how faces are called."""

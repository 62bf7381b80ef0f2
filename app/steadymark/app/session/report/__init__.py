"""Reports of the open recording and of finished videos, written in threads."""

"""The panel of the persons in the open recording: names, merging, splitting and swapping."""

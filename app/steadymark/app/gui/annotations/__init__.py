"""Annotations in the window: the lanes of the timeline, their dialogs, menus and keys."""

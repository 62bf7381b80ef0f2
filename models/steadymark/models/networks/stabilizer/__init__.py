"""Recurrent cells that turn an image detector into a video tracker."""

"""The version of the installed distribution."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """Return the version of the installed distribution, or "0+checkout" if there is none."""
    try:
        return metadata.version("steadymark")
    except metadata.PackageNotFoundError:
        return "0+checkout"

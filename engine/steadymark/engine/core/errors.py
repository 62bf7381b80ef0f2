"""Errors that a user can act on.

Each message says what is wrong, which input or setting it concerns, and what the user can do.
"""

from __future__ import annotations

from steadymark.models.errors import (
    DeviceError,
    LandmarkFileError,
    SteadymarkError,
    UsageError,
    WeightsError,
)

__all__ = [
    "DeviceError",
    "LandmarkFileError",
    "PacketError",
    "SinkError",
    "SourceError",
    "SteadymarkError",
    "TrackingError",
    "UsageError",
    "WeightsError",
]


class SourceError(SteadymarkError):
    """An input cannot be opened, or reading it failed."""


class PacketError(SteadymarkError):
    """A network packet has an invalid format."""


class SinkError(SteadymarkError):
    """An output cannot be written."""


class TrackingError(SteadymarkError):
    """A frame could not be tracked."""

"""Faults a user can do something about: the message says what is wrong, with what, what to do."""

from __future__ import annotations

from steadymark.models.errors import (
    DeviceError,
    LandmarkFileError,
    SteadymarkError,
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
    """An input cannot be opened or read on."""


class PacketError(SteadymarkError):
    """What came over the network is not what it should be."""


class SinkError(SteadymarkError):
    """An output cannot be written."""


class TrackingError(SteadymarkError):
    """A frame could not be tracked."""


class UsageError(SteadymarkError):
    """What was asked for does not exist or does not go together (exit code 2)."""

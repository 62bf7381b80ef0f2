"""Faults a user can do something about: the message says what is wrong, with what, what to do."""

from __future__ import annotations


class SteadymarkError(Exception):
    """Base of all faults that are reported as one sentence, without a traceback.

    One line of printable text, whatever strange names and values it quotes.
    """

    def __str__(self) -> str:
        return "".join(c if c.isprintable() else " " for c in super().__str__())


class WeightsError(SteadymarkError):
    """A model is unknown, or its files are missing, altered or of another kind."""


class DeviceError(SteadymarkError):
    """The device asked for cannot be used."""


class LandmarkFileError(SteadymarkError):
    """A file is not the landmark file it should be."""


class DataError(SteadymarkError, ValueError):
    """A data set is not of the form it should have, or cannot be read here."""

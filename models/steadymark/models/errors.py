"""Faults a user can do something about: the message says what is wrong, with what, what to do."""

from __future__ import annotations

from steadymark.models.user_text import UserText


class SteadymarkError(Exception):
    """Base of all faults that are reported as one sentence, without a traceback.

    `SteadymarkError("{path} gives no frames", path=path)`: as UserText, or of a sentence.
    """

    def __init__(self, template: str, /, **fields: object) -> None:
        self.sentence = template if isinstance(template, UserText) else UserText(template, **fields)
        super().__init__(self.sentence)


class WeightsError(SteadymarkError):
    """A model is unknown, or its files are missing, altered or of another kind."""


class DeviceError(SteadymarkError):
    """The device asked for cannot be used."""


class LandmarkFileError(SteadymarkError):
    """A file is not the landmark file it should be."""


class DataError(SteadymarkError, ValueError):
    """A data set is not of the form it should have, or cannot be read here."""


class ContentError(SteadymarkError, ValueError):
    """What is wrong inside a file: the reason of another fault, which names the file."""

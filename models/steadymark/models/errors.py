"""Errors that the user can fix; the message says what is wrong, where, and what to do."""

from __future__ import annotations

from steadymark.models.user_text import UserText


class SteadymarkError(Exception):
    """Base class of all errors that are reported as one sentence, without a traceback.

    It takes the same arguments as `UserText`, or a finished `UserText`. Example:
    `SteadymarkError("{path} gives no frames", path=path)`.
    """

    def __init__(self, template: str, /, **fields: object) -> None:
        self.sentence = template if isinstance(template, UserText) else UserText(template, **fields)
        super().__init__(self.sentence)


class UsageError(SteadymarkError):
    """A requested option does not exist or cannot be combined with another one (exit code 2)."""


class WeightsError(SteadymarkError):
    """A model is unknown, or its files are missing, altered or of the wrong kind."""


class DeviceError(SteadymarkError):
    """The requested device cannot be used."""


class LandmarkFileError(SteadymarkError):
    """A landmark file cannot be read or has the wrong format."""


class DataError(SteadymarkError, ValueError):
    """A dataset has the wrong format or cannot be read."""


class ContentError(SteadymarkError, ValueError):
    """Something is wrong inside a file; the error that names the file quotes it as the reason."""

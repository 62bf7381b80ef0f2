"""The words for a remaining time."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication

translate = QCoreApplication.translate


def time_left(remaining_s: float | None) -> str:
    """Return words such as "about 3 min left", or an empty text if the time is not known."""
    if remaining_s is None:
        return ""
    if remaining_s < 55:
        seconds = max(5, 5 * math.ceil(remaining_s / 5))
        return translate("time_left", "about {seconds} s left").format(seconds=seconds)
    minutes = round(remaining_s / 60)
    if minutes < 60:
        return translate("time_left", "about {minutes} min left").format(minutes=max(1, minutes))
    hours, minutes = divmod(minutes, 60)
    return translate("time_left", "about {hours} h {minutes} min left").format(
        hours=hours, minutes=minutes
    )

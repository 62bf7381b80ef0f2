"""The texts of a window, and whether they were translated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QDockWidget, QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"[a-zA-Z]{3,}")
# names, units, file names and other texts that are the same in every language
_SAME = re.compile(
    r"a\.mp4|fps|\.mp4|CPU|CUDA|px|Hz|(heatmap1d|local_global|dan)-lite|Steadymark|Backend"
)


class Brackets(QTranslator):
    """Translates everything to itself in brackets."""

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: Any, text: Any, disambiguation: Any = None, n: int = -1) -> str:
        return f"⟦{text}⟧"


def window_texts(window: QWidget) -> Iterator[tuple[QObject, str]]:
    """All texts of a window that a user can read, or hear from a screen reader."""
    kinds = ("text", "title", "windowTitle", "toolTip", "accessibleName", "accessibleDescription")
    for item in [window, *window.findChildren(QWidget), *window.findChildren(QAction)]:
        if item.objectName().startswith(("qt_", "_q_")) or isinstance(item.parent(), QDockWidget):
            continue
        for kind in kinds:
            if callable(text_getter := getattr(item, kind, None)):
                yield item, text_getter()
        if isinstance(item, QComboBox):
            yield from ((item, item.itemText(i)) for i in range(item.count()))


def untranslated(text: str) -> bool:
    """Whether there are words outside the brackets."""
    outside = re.sub(r"\((\S+)\)$", "", text) if text.endswith(")") else text  # keys in hints
    while (inner := re.sub(r"⟦[^⟦⟧]*(⟧|…$)", "", outside)) != outside:
        outside = inner
    outside = re.sub(r"<[^>]*>", "", outside)
    return bool(_WORD.search(_SAME.sub("", outside)))

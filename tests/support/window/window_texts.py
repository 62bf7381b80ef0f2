"""What a window says, and whether it went through the translator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QDockWidget, QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"[a-zA-Z]{3,}")
# names, units, file names and what stands for itself in every language
_SAME = re.compile(
    r"a\.mp4|fps|\.mp4|CPU|CUDA|px|Hz|(heatmap1d|local_global|dan)-lite|Steadymark|Backend"
)


class Brackets(QTranslator):
    """Translates everything to itself in brackets."""

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: Any, text: Any, disambiguation: Any = None, n: int = -1) -> str:
        return f"⟦{text}⟧"


def said(window: QWidget) -> Iterator[tuple[QObject, str]]:
    """Everything a user can read of a window, or hear."""
    kinds = ("text", "title", "windowTitle", "toolTip", "accessibleName", "accessibleDescription")
    for thing in [window, *window.findChildren(QWidget), *window.findChildren(QAction)]:
        if thing.objectName().startswith(("qt_", "_q_")) or isinstance(thing.parent(), QDockWidget):
            continue
        for kind in kinds:
            if callable(told := getattr(thing, kind, None)):
                yield thing, told()
        if isinstance(thing, QComboBox):
            yield from ((thing, thing.itemText(i)) for i in range(thing.count()))


def untranslated(text: str) -> bool:
    """Whether words are left outside the brackets."""
    outside = re.sub(r"\((\S+)\)$", "", text) if text.endswith(")") else text  # keys in hints
    while (inner := re.sub(r"⟦[^⟦⟧]*(⟧|…$)", "", outside)) != outside:
        outside = inner
    outside = re.sub(r"<[^>]*>", "", outside)
    return bool(_WORD.search(_SAME.sub("", outside)))

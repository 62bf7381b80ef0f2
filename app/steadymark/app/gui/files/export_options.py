"""The dialog that asks what is drawn into an exported video, and remembers the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGroupBox,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.translate import translated
from steadymark.engine.attributes.attribute_registry import ATTRIBUTES, drawing_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.engine.output.video.drawing import DrawOptions

_PARTS = ("points", "contours", "box", "face_id", "status")
_RAW, _ATTRIBUTES = "raw", "attributes"


class ExportOptionsDialog(QDialog):
    """Dialog with one check box for each thing that can be drawn into a video.

    Args:
        options: What is checked when the dialog opens.
        shown: What the window shows, which a button takes over.
        one_side: Whether raw or stabilized landmarks are chosen; otherwise both are drawn.
        has_review: Whether there is a review that can be applied.
        has_loop: Whether a region is looped.
        parent: The window over which the dialog opens.
    """

    def __init__(
        self,
        options: DrawOptions,
        shown: DrawOptions,
        *,
        one_side: bool,
        has_review: bool = False,
        has_loop: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("What is drawn into the video"))
        self._options = options
        self._one_side = one_side
        self.boxes: dict[str, QCheckBox] = {}
        self.raw = QRadioButton(self.tr("Raw landmarks"))
        self.stabilized = QRadioButton(self.tr("Stabilized landmarks"))
        column = QVBoxLayout(self)
        sides = QGroupBox()
        inside = QVBoxLayout(sides)
        inside.addWidget(self.stabilized)
        inside.addWidget(self.raw)
        sides.setVisible(one_side)
        column.addWidget(sides)
        for name, text in self._texts().items():
            self.boxes[name] = QCheckBox(text)
            column.addWidget(self.boxes[name])
        self.review = QCheckBox(self.tr("Apply the review: corrections, persons, exclusions"))
        self.only_loop = QCheckBox(self.tr("Only the looped region"))
        for extra, there in ((self.review, has_review), (self.only_loop, has_loop)):
            extra.setVisible(there)
            column.addWidget(extra)
        column.addWidget(self._make_buttons(shown))
        self.show_options(options)

    def show_options(self, options: DrawOptions) -> None:
        """Check what these options draw."""
        for name, box in self.boxes.items():
            box.setChecked(bool(getattr(options, name, name in options.attributes)))
        (self.raw if options.raw else self.stabilized).setChecked(True)

    @property
    def applies_review(self) -> bool:
        """Whether there is a review and the user wants it applied."""
        return self.review.isVisibleTo(self) and self.review.isChecked()

    @property
    def options(self) -> DrawOptions:
        """What the user has chosen."""
        parts: dict[str, Any] = {name: self.boxes[name].isChecked() for name in _PARTS}
        drawn = tuple(n for n, box in self.boxes.items() if n not in _PARTS and box.isChecked())
        raw = self._one_side and self.raw.isChecked()
        return replace(self._options, **parts, raw=raw, attributes=drawn)

    def _make_buttons(self, shown: DrawOptions) -> QDialogButtonBox:
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.as_shown = buttons.addButton(
            self.tr("As in the window"), QDialogButtonBox.ButtonRole.ResetRole
        )
        self.as_shown.clicked.connect(lambda: self.show_options(shown))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _texts(self) -> dict[str, str]:
        texts = {
            "points": self.tr("Points"),
            "contours": self.tr("Contours"),
            "box": self.tr("Face boxes"),
            "face_id": self.tr("Ids of the faces"),
            "status": self.tr("Time, frame number and number of faces"),
        }
        drawings = [a.drawing for a in ATTRIBUTES.all() if a.drawing is not None]
        return texts | {d.name: translated(d.label) for d in drawings}


def remembered_options(values: Mapping[str, object], shown: DrawOptions) -> DrawOptions:
    """Return the options that were stored with `as_values`; what is missing is as in `shown`."""
    parts: dict[str, Any] = {
        name: value for name in (*_PARTS, _RAW) if isinstance(value := values.get(name), bool)
    }
    attributes = values.get(_ATTRIBUTES)
    if isinstance(attributes, list):
        kept = tuple(name for name in drawing_names() if name in attributes)
        return replace(shown, **parts, attributes=kept)
    return replace(shown, **parts)


def as_values(options: DrawOptions) -> dict[str, object]:
    """Return options as values that preferences can store."""
    parts: dict[str, object] = {name: getattr(options, name) for name in (*_PARTS, _RAW)}
    return parts | {_ATTRIBUTES: list(options.attributes)}

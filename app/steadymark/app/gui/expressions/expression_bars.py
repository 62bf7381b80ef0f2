"""A bar for each of ARKit's shapes: what is measured, and what a character gets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from steadymark.engine.expressions.arkit import SHAPES, unseen_shapes

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from steadymark.engine.expressions.expression_settings import Floats

translate = QCoreApplication.translate
_GROUPS = (
    ("eye",),
    ("brow",),
    ("jaw",),
    ("mouth",),
    ("cheek", "nose"),
    ("tongue",),
)  # beginnings of the names of each group
_COLUMN_PX = 290  # least width of a column
_MOST_COLUMNS = 3
_MARGIN_PX, _GAP_PX = 6, 14
_BAR_SHARE = 0.5  # of the width of a column


def group_titles() -> tuple[str, ...]:
    """Return the titles of the groups of shapes, in the language of the window."""
    return (
        translate("expressions", "Eyes"),
        translate("expressions", "Brows"),
        translate("expressions", "Jaw"),
        translate("expressions", "Mouth"),
        translate("expressions", "Cheeks and nose"),
        translate("expressions", "Tongue"),
    )


class ExpressionBars(QWidget):
    """The bars, in groups and columns. All of them are one widget, which is painted at once.

    The names and the empty bars are painted once into a picture, so that a new frame only fills the
    bars. Of each bar, the upper third is what is measured, and the rest is what is sent.

    Attributes:
        chosen: Emitted with the name of the shape that the user chooses.
        shown_at: Emitted with the place of the chosen shape, which is to be scrolled to.
    """

    chosen = Signal(str)
    shown_at = Signal(QRect)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(translate("expressions", "Expressions"))
        self.setMouseTracking(True)
        self._measured = self._sent = [math.nan] * len(SHAPES)
        self._filter = ""
        self.name = SHAPES[0]
        self._places: dict[str, QRect] = {}
        self._headings: list[tuple[str, QRect]] = []
        self._bars: list[tuple[int, int, int, int, int]] = []  # shape, left, top, width, height
        self._picture: QPixmap | None = None

    def set_values(self, measured: Floats, sent: Floats) -> None:
        """Show the strengths of another frame.

        Args:
            measured: (52,) measured strengths of `SHAPES`; NaN where one is unknown.
            sent: (52,) strengths that a character gets.
        """
        self._measured, self._sent = measured.tolist(), sent.tolist()  # faster one by one
        self.update()

    def set_filter(self, text: str) -> None:
        """Show only the shapes whose names contain this text."""
        self._filter = text.strip().casefold()
        self._lay_out()

    def choose(self, name: str) -> None:
        """Choose a shape, as a click on it does."""
        self.name = name
        self._forget_picture()
        self._describe()
        if name in self._places:
            self.shown_at.emit(self._places[name])
        self.chosen.emit(name)

    @property
    def shown_names(self) -> tuple[str, ...]:
        """The names that are shown, in the order of the rows."""
        return tuple(self._places)

    def place_of(self, name: str) -> QRect:
        """Return the place of the row of a shape that is shown."""
        return self._places[name]

    # -- layout

    def sizeHint(self) -> QSize:
        return QSize(2 * _COLUMN_PX, 24 * self._row_px)

    @property
    def _row_px(self) -> int:
        return QFontMetrics(self.font()).height() + 5

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kinds = QEvent.Type
        if event.type() == kinds.FontChange:
            self._lay_out()
        elif event.type() in (kinds.PaletteChange, kinds.EnabledChange):
            self._forget_picture()

    def _rows(self) -> list[tuple[str, str]]:
        """Return heading and name of each row; one of both is empty."""
        rows = []
        for title, beginnings in zip(group_titles(), _GROUPS, strict=True):
            names = [n for n in SHAPES if n.startswith(beginnings) and self._fits(n, title)]
            rows += [(title, "")] * bool(names) + [("", name) for name in names]
        return rows

    def _fits(self, name: str, title: str) -> bool:
        return self._filter in name.casefold() or self._filter in title.casefold()

    def _lay_out(self) -> None:
        rows = self._rows()
        columns = max(1, min(_MOST_COLUMNS, self.width() // _COLUMN_PX))
        length = max(1, math.ceil(len(rows) / columns))
        width = (self.width() - 2 * _MARGIN_PX + _GAP_PX) // columns
        self._places, self._headings = {}, []
        column, row = 0, 0
        for title, name in rows:
            if row >= length and column + 1 < columns:
                column, row = column + 1, 0
            place = QRect(
                _MARGIN_PX + column * width, row * self._row_px, width - _GAP_PX, self._row_px
            )
            if name:
                self._places[name] = place
            else:
                self._headings.append((title, place))
            row += 1
        bottoms = [place.bottom() for place in self._places.values()]
        self.setMinimumHeight(max(bottoms, default=0) + _MARGIN_PX)
        bars = [(SHAPES.index(name), self._bar(place)) for name, place in self._places.items()]
        self._bars = [(i, bar.x(), bar.y(), bar.width(), bar.height()) for i, bar in bars]
        self._forget_picture()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._paint_names()
        painter = QPainter(self)
        painter.drawPixmap(event.rect(), self._picture, self._in_picture(event.rect()))
        painter.setPen(Qt.PenStyle.NoPen)
        colours, top, bottom = self.palette(), event.rect().top(), event.rect().bottom()
        seen = [bar for bar in self._bars if top <= bar[2] + bar[4] and bar[2] <= bottom]
        painter.setBrush(colours.placeholderText())
        painter.drawRects(
            [
                QRect(x, y, round(self._measured[shape] * width), height // 3)
                for shape, x, y, width, height in seen
                if self._measured[shape] > 0  # NaN is not
            ]
        )
        painter.setBrush(colours.highlight())
        painter.drawRects(
            [
                QRect(x, y + height // 3 + 1, round(self._sent[shape] * width), height * 2 // 3)
                for shape, x, y, width, height in seen
                if self._sent[shape] > 0
            ]
        )

    def _in_picture(self, place: QRect) -> QRect:
        ratio = self.devicePixelRatioF()
        return QRect(
            round(place.x() * ratio),
            round(place.y() * ratio),
            round(place.width() * ratio),
            round(place.height() * ratio),
        )

    def _bar(self, place: QRect) -> QRect:
        width = round(place.width() * _BAR_SHARE)
        height = max(7, place.height() // 2)
        top = place.top() + (place.height() - height) // 2
        return QRect(place.right() - width - 2, top, width, height)

    def _paint_names(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(self.palette().color(QPalette.ColorRole.Base))
        painter = QPainter(picture)
        colours, unseen = self.palette(), unseen_shapes()
        bold = self.font()
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(colours.color(QPalette.ColorRole.Text))
        for title, place in self._headings:
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, title)
        painter.setFont(self.font())
        for name, place in self._places.items():
            if name == self.name:
                row = place.adjusted(-4, 0, 2, 0)
                painter.fillRect(row, colours.color(QPalette.ColorRole.AlternateBase))
                if self.hasFocus():
                    painter.setPen(colours.color(QPalette.ColorRole.Highlight))
                    painter.drawRect(row.adjusted(0, 0, -1, -1))
            role = QPalette.ColorRole.PlaceholderText if name in unseen else QPalette.ColorRole.Text
            painter.setPen(colours.color(role))
            bar = self._bar(place)
            text = place.adjusted(2, 0, bar.left() - place.right() - 8, 0)
            elided = QFontMetrics(self.font()).elidedText(
                name, Qt.TextElideMode.ElideMiddle, text.width()
            )
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, elided)
            painter.fillRect(bar, colours.color(QPalette.ColorRole.Mid).lighter(112))
        painter.end()
        return picture

    def _forget_picture(self) -> None:
        self._picture = None
        self.update()

    # -- mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for name, place in self._places.items():
            if place.contains(event.position().toPoint()):
                self.choose(name)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        under = [name for name, place in self._places.items() if place.contains(at)]
        self.setToolTip(self._about(under[0]) if under else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys, names = Qt.Key, list(self._places)
        at = names.index(self.name) if self.name in names else -1
        wanted = {
            keys.Key_Up: at - 1,
            keys.Key_Down: at + 1,
            keys.Key_Home: 0,
            keys.Key_End: len(names) - 1,
        }.get(keys(event.key()))
        if wanted is None or not names:
            super().keyPressEvent(event)
        else:
            self.choose(names[max(0, min(wanted, len(names) - 1))])

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._forget_picture()
        self._describe()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._forget_picture()

    def _describe(self) -> None:
        self.setAccessibleDescription(self._about(self.name))

    def _about(self, name: str) -> str:
        if name in unseen_shapes():
            words = translate("expressions", "{name}: landmarks do not show it, so that it is 0")
            return words.format(name=name)
        return name

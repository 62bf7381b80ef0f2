"""Display names of the stabilizers."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from steadymark.engine.stabilizers.online_filters import AUTO, OFFLINE, ONE_EURO
from steadymark.models.runtime.zoo import FLOW

STABILIZER_NAMES: dict[str, object] = {
    AUTO: QT_TRANSLATE_NOOP("stabilizers", "automatic"),
    FLOW: QT_TRANSLATE_NOOP("stabilizers", "flow"),
    "none": QT_TRANSLATE_NOOP("stabilizers", "none"),
    "refine": QT_TRANSLATE_NOOP("stabilizers", "temporal refinement"),
    "convlstm": QT_TRANSLATE_NOOP("stabilizers", "ConvLSTM"),
    ONE_EURO: QT_TRANSLATE_NOOP("stabilizers", "One Euro filter"),
    OFFLINE: QT_TRANSLATE_NOOP("stabilizers", "Butterworth, no lag"),
}


def stabilizer_text(name: str) -> str:
    """Return the display name of one of STABILIZERS."""
    return QCoreApplication.translate("stabilizers", str(STABILIZER_NAMES[name]))

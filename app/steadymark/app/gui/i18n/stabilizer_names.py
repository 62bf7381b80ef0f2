"""Display names of the stabilizers."""

from __future__ import annotations

from steadymark.app.gui.i18n.translate import translated
from steadymark.engine.stabilizers.stabilizer_registry import STABILIZER_REGISTRY


def stabilizer_name(name: str) -> str:
    """Return the display name of a stabilizer."""
    return translated(STABILIZER_REGISTRY.find(name).label)


def short_stabilizer_name(name: str) -> str:
    """Return the short display name of a stabilizer."""
    entry = STABILIZER_REGISTRY.find(name)
    return translated(entry.caption or entry.label)

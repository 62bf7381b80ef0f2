"""The texts about sending results to other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.engine.streaming.sender import SendState
from steadymark.engine.streaming.targets import TARGETS

if TYPE_CHECKING:
    from steadymark.app.session.live.stream_sending import StreamTargetState

translate = QCoreApplication.translate


def target_name(kind: str) -> str:
    """Return the name of a kind of target."""
    return translated(TARGETS.find(kind).label)


def state_text(state: StreamTargetState, *, live: bool) -> str:
    """Describe the state of a target.

    Args:
        state: The state of the target.
        live: Whether a live view is running.
    """
    if not state.on:
        return translate("sending", "off")
    if state.report is None or not live:
        return translate("sending", "starts with the live view")
    if state.report.state is SendState.OPENING:
        return translate("sending", "opening…")
    if state.report.state is not SendState.SENDING:
        return translate("sending", "failed, see the message")
    words = [translate("sending", "{rate} packets/s").format(rate=number_text(state.rate, 0))]
    if state.report.dropped:
        words.append(translate("sending", "{count} dropped").format(count=state.report.dropped))
    if state.report.has_receiver is False:
        words.append(translate("sending", "no receiver"))
    return ", ".join(words)


def short_state_text(state: StreamTargetState) -> str:
    """Return a short description for the bar below the view."""
    name = target_name(state.kind)
    if state.report is not None and state.report.has_receiver is False:
        return translate("sending", "{name}: no receiver").format(name=name)
    if not state.sending:
        return f"– {name}"
    return translate("sending", "{rate}/s {name}").format(
        rate=number_text(state.rate, 0), name=name
    )

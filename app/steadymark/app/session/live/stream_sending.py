"""Sending of live results to other programs: the chosen targets and their states."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.engine.expressions.expression_settings import AS_MEASURED
from steadymark.engine.streaming.sender import Sender, SendState
from steadymark.engine.streaming.targets import TARGETS, StreamTarget, target_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.engine.streaming.sender import SendReport

    MakeSender = Callable[[StreamTarget, Callable[[], None]], Sender]

RATE_S = 2.0


@dataclass(frozen=True, slots=True)
class StreamTargetState:
    """The current state of one kind of target.

    Attributes:
        kind: The name of the kind of target, see `TARGETS`.
        on: Whether the user switched it on.
        place: The address that the user chose.
        report: The report of the sender, or None if there is no sender.
        rate: Packets per second.
    """

    kind: str
    on: bool
    place: str
    report: SendReport | None = None
    rate: float = 0.0

    @property
    def sending(self) -> bool:
        """Whether packets are being sent."""
        return self.report is not None and self.report.state is SendState.SENDING

    @property
    def has_problem(self) -> bool:
        """Whether nobody receives the packets, or sending failed."""
        report = self.report
        return report is not None and (
            report.has_receiver is False or report.state is SendState.FAILED
        )


class _SenderSlot:
    """The settings and the sender of one kind of target."""

    def __init__(self, kind: str) -> None:
        self.target = target_at(kind, "")
        self.on = False
        self.sender: Sender | None = None
        self.fault_reported = False
        self.sent: deque[tuple[float, int]] = deque()


class StreamSending(QObject):
    """Sends live results to the chosen targets. All but `offer` runs in the GUI thread.

    Attributes:
        changed: Emitted when a choice or a state has changed.
        message_posted: Emitted with a UserText: a fault for the user.
    """

    changed = Signal()
    message_posted = Signal(object)
    _state_changed = Signal()

    def __init__(
        self,
        *,
        make: MakeSender = lambda target, on_change: Sender(target, on_change=on_change),
        clock: Callable[[], float] = time.perf_counter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make, self._clock = make, clock
        self._slots = {kind: _SenderSlot(kind) for kind in TARGETS.names()}
        self._running = False
        self._expressions = AS_MEASURED
        self._active_senders: tuple[Sender, ...] = ()
        self._closing_senders: list[Sender] = []
        self._state_changed.connect(self._on_state, Qt.ConnectionType.QueuedConnection)

    def set_target(self, kind: str, *, place: str | None = None, on: bool | None = None) -> None:
        """Set the address of a kind of target, or switch it on or off.

        Raises:
            UsageError: The address is not valid. Nothing changes in this case.
        """
        slot = self._slots[kind]
        target = slot.target if place is None else target_at(kind, place)
        on = slot.on if on is None else on
        if (target, on) == (slot.target, slot.on):
            return
        slot.target, slot.on = target, on
        self._stop(slot)
        if self._running:
            self._start(slot)
        self.changed.emit()

    def begin(self) -> None:
        """Start sending because a live view runs."""
        self._running = True
        for slot in self._slots.values():
            self._start(slot)
        self.changed.emit()

    def end(self) -> None:
        """Stop sending because the live view ended. The last result is still sent."""
        self._running = False
        for slot in self._slots.values():
            self._stop(slot)
        self.changed.emit()

    def join(self, deadline_s: float) -> bool:
        """Wait after `end`. Returns whether all threads ended before this time.monotonic() time.

        A sender that is still resolving a host name cannot be interrupted and is not waited for.
        """
        closing = [s for s in self._closing_senders if s.report.state is not SendState.OPENING]
        return all(s.close(max(0.0, deadline_s - time.monotonic())) for s in closing)

    def offer(self, result: TrackResult) -> None:
        """Offer a result to the senders. This runs in the tracking thread and never waits."""
        for sender in self._active_senders:
            sender.offer(result)

    def choose_neutral(self) -> None:
        """Take the face of the next half second as the neutral one of the sent expressions."""
        for sender in self._active_senders:
            sender.choose_neutral()

    def use_expressions(self, settings: ExpressionSettings) -> None:
        """Use these settings of expressions for what is sent from now on."""
        self._expressions = settings
        for sender in self._active_senders:
            sender.use_expressions(settings)

    def target_states(self) -> tuple[StreamTargetState, ...]:
        """Return the current state of each kind of target."""
        return tuple(self._target_state(kind, slot) for kind, slot in self._slots.items())

    def _target_state(self, kind: str, slot: _SenderSlot) -> StreamTargetState:
        if slot.sender is None:
            return StreamTargetState(kind, slot.on, slot.target.place)
        report, now_s = slot.sender.report, self._clock()
        while slot.sent and slot.sent[0][0] < now_s - RATE_S:
            slot.sent.popleft()
        since_s, before = slot.sent[0] if slot.sent else (now_s, report.sent)
        slot.sent.append((now_s, report.sent))
        rate = (report.sent - before) / (now_s - since_s) if now_s > since_s else 0.0
        return StreamTargetState(kind, slot.on, slot.target.place, report, rate)

    def _start(self, slot: _SenderSlot) -> None:
        if slot.on and slot.sender is None:
            slot.sender = self._make(slot.target, self._state_changed.emit)
            slot.sender.use_expressions(self._expressions)
            slot.fault_reported = False
            slot.sent.clear()
            slot.sender.begin()
            self._update_active_senders()

    def _stop(self, slot: _SenderSlot) -> None:
        sender, slot.sender = slot.sender, None
        if sender is not None:
            self._update_active_senders()
            self._closing_senders = [s for s in self._closing_senders if not s.close(0)]
            if not sender.close(0):
                self._closing_senders.append(sender)

    def _update_active_senders(self) -> None:
        running = (slot.sender for slot in self._slots.values())
        self._active_senders = tuple(sender for sender in running if sender is not None)

    def _on_state(self) -> None:
        for slot in self._slots.values():
            if slot.sender is not None and not slot.fault_reported:
                fault = slot.sender.report.fault
                if fault:
                    slot.fault_reported = True
                    self.message_posted.emit(fault)
        self.changed.emit()

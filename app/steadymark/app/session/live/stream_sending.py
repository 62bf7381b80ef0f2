"""Sending of live results to other programs: the chosen targets and their states."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.engine.streaming.sender import Sender, SendState
from steadymark.engine.streaming.targets import TARGETS, StreamTarget, target_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import TrackResult
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
        return self.report is not None and self.report.state is SendState.SENDING

    @property
    def in_vain(self) -> bool:
        """Whether nobody receives the packets, or sending failed."""
        report = self.report
        return report is not None and (
            report.has_receiver is False or report.state is SendState.FAILED
        )


class _Outlet:
    """The settings and the sender of one kind of target."""

    def __init__(self, kind: str) -> None:
        self.target = target_at(kind, "")
        self.on = False
        self.sender: Sender | None = None
        self.told = False
        self.sent: deque[tuple[float, int]] = deque()


class StreamSending(QObject):
    """Sends live results to the chosen targets. All but `offer` runs in the GUI thread.

    changed: a choice or a state has changed; told: a fault for the user, a UserText.
    """

    changed = Signal()
    told = Signal(object)
    _state_came = Signal()

    def __init__(
        self,
        *,
        make: MakeSender = lambda target, on_change: Sender(target, on_change=on_change),
        clock: Callable[[], float] = time.perf_counter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make, self._clock = make, clock
        self._outlets = {kind: _Outlet(kind) for kind in TARGETS.names()}
        self._running = False
        self._taking: tuple[Sender, ...] = ()
        self._leaving: list[Sender] = []
        self._state_came.connect(self._on_state, Qt.ConnectionType.QueuedConnection)

    def want(self, kind: str, *, place: str | None = None, on: bool | None = None) -> None:
        """Set the address of a kind of target, or switch it on or off.

        Raises:
            UsageError: The address is not valid. Nothing changes in this case.
        """
        outlet = self._outlets[kind]
        target = outlet.target if place is None else target_at(kind, place)
        on = outlet.on if on is None else on
        if (target, on) == (outlet.target, outlet.on):
            return
        outlet.target, outlet.on = target, on
        self._stop(outlet)
        if self._running:
            self._start(outlet)
        self.changed.emit()

    def begin(self) -> None:
        """Start sending because a live view runs."""
        self._running = True
        for outlet in self._outlets.values():
            self._start(outlet)
        self.changed.emit()

    def end(self) -> None:
        """Stop sending because the live view ended. The last result is still sent."""
        self._running = False
        for outlet in self._outlets.values():
            self._stop(outlet)
        self.changed.emit()

    def join(self, deadline_s: float) -> bool:
        """Wait after `end`. Returns whether all threads ended before this time.monotonic() time.

        A sender that is still resolving a host name cannot be interrupted and is not waited for.
        """
        waited = [s for s in self._leaving if s.report.state is not SendState.OPENING]
        return all(s.close(max(0.0, deadline_s - time.monotonic())) for s in waited)

    def offer(self, result: TrackResult) -> None:
        """Offer a result to the senders. This runs in the tracking thread and never waits."""
        for sender in self._taking:
            sender.offer(result)

    def facts(self) -> tuple[StreamTargetState, ...]:
        """Return the current state of each kind of target."""
        return tuple(self._facts(kind, outlet) for kind, outlet in self._outlets.items())

    def _facts(self, kind: str, outlet: _Outlet) -> StreamTargetState:
        if outlet.sender is None:
            return StreamTargetState(kind, outlet.on, outlet.target.place)
        report, now_s = outlet.sender.report, self._clock()
        while outlet.sent and outlet.sent[0][0] < now_s - RATE_S:
            outlet.sent.popleft()
        since_s, before = outlet.sent[0] if outlet.sent else (now_s, report.sent)
        outlet.sent.append((now_s, report.sent))
        rate = (report.sent - before) / (now_s - since_s) if now_s > since_s else 0.0
        return StreamTargetState(kind, outlet.on, outlet.target.place, report, rate)

    def _start(self, outlet: _Outlet) -> None:
        if outlet.on and outlet.sender is None:
            outlet.sender = self._make(outlet.target, self._state_came.emit)
            outlet.told = False
            outlet.sent.clear()
            outlet.sender.begin()
            self._count()

    def _stop(self, outlet: _Outlet) -> None:
        sender, outlet.sender = outlet.sender, None
        if sender is not None:
            self._count()
            self._leaving = [s for s in self._leaving if not s.close(0)]
            if not sender.close(0):
                self._leaving.append(sender)

    def _count(self) -> None:
        running = (outlet.sender for outlet in self._outlets.values())
        self._taking = tuple(sender for sender in running if sender is not None)

    def _on_state(self) -> None:
        for outlet in self._outlets.values():
            if outlet.sender is not None and not outlet.told:
                fault = outlet.sender.report.fault
                if fault:
                    outlet.told = True
                    self.told.emit(fault)
        self.changed.emit()

"""Send results during tracking; only the newest result is kept, and tracking never waits."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError, SteadymarkError
from steadymark.engine.expressions.expression_settings import AS_MEASURED
from steadymark.engine.face3d.face_fit import POINTS
from steadymark.engine.pipeline.latest_value import LatestValue
from steadymark.engine.streaming.targets import (
    TARGETS,
    CharacterWriter,
    ExpressionWriter,
    open_writer,
)
from steadymark.models.user_text import NOTHING, UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.engine.streaming.targets import StreamTarget, StreamWriter

log = logging.getLogger(__name__)
CLOSE_S = 1.0


class SendState(StrEnum):
    """State of a sender.

    `opening`: the host is being looked up. `failed`: see the fault in the report.
    """

    OPENING = "opening"
    SENDING = "sending"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SendReport:
    """What a sender has sent so far.

    Attributes:
        target: Where results are sent.
        state: State of the sender.
        sent: Number of packets sent.
        dropped: Number of results that were replaced by newer ones, and of packets that could not
            be sent.
        has_receiver: Whether a receiver listens; None if that cannot be known.
        fault: What went wrong, as a sentence.
    """

    target: StreamTarget
    state: SendState = SendState.OPENING
    sent: int = 0
    dropped: int = 0
    has_receiver: bool | None = None
    fault: UserText = NOTHING

    @property
    def summary(self) -> UserText:
        """A sentence about everything that was sent."""
        if self.fault:
            return self.fault
        texts = [
            UserText.counted(
                "1 packet was sent to {target}",
                "{count} packets were sent to {target}",
                count=self.sent,
                target=self.target,
            )
        ]
        if self.dropped:
            dropped = UserText.counted("1 was dropped", "{count} were dropped", count=self.dropped)
            texts.append(dropped)
        if self.has_receiver is False:
            texts.append(UserText("there was no receiver at the end"))
        return join_texts(texts)


class Sender:
    """Sends results to one target on a thread of its own; runs once.

    Args:
        target: Where to send.
        make_writer: Creates the writer.
        on_change: Called in the sender's thread when the state changes.
        expressions: Settings of the sent expressions.
    """

    def __init__(
        self,
        target: StreamTarget,
        *,
        make_writer: Callable[[StreamTarget], StreamWriter] = open_writer,
        on_change: Callable[[], None] = lambda: None,
        expressions: ExpressionSettings = AS_MEASURED,
    ) -> None:
        self._make_writer, self._on_change = make_writer, on_change
        self._expressions = expressions
        self._writer: StreamWriter | None = None
        self._newest: LatestValue[TrackResult] = LatestValue()
        self._lock = Lock()
        self._neutral_wanted = Event()
        self._report = SendReport(target)
        self._thread = Thread(target=self._run, name=f"sending {target}", daemon=True)

    @property
    def report(self) -> SendReport:
        """A snapshot of the current report."""
        with self._lock:
            report = self._report
        return replace(report, dropped=report.dropped + self._newest.dropped)

    def open(self) -> None:
        """Open the target and start sending; the host is looked up before this returns.

        Raises:
            SinkError: The host is unknown, or a package is missing.
        """
        self._open()
        self._thread.start()

    def begin(self) -> None:
        """Start the thread, which opens the target; errors are given in the report."""
        self._thread.start()

    def offer(self, result: TrackResult) -> None:
        """Hand over a result to send; never blocks. Call it from one thread only."""
        self._newest.put(result)

    def choose_neutral(self) -> None:
        """Take the face of the next half second as neutral; see `NeutralFace`."""
        self._neutral_wanted.set()

    def use_expressions(self, settings: ExpressionSettings) -> None:
        """Use other settings for the results that are sent from now on."""
        self._expressions = settings

    def close(self, within_s: float = CLOSE_S) -> bool:
        """Send the last result and end; may be called more than once.

        Args:
            within_s: How long to wait, in seconds.

        Returns:
            Whether the sender has ended.
        """
        self._newest.close()
        if self._thread.ident is None:
            self._end()
            return True
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _open(self) -> None:
        target = self._report.target
        writer = self._writer = self._make_writer(target)
        try:
            writer.open()
        except ImportError as error:
            raise TARGETS.find(target.kind).missing(error) from error
        self._update(state=SendState.SENDING)

    def _run(self) -> None:
        try:
            if self._writer is None:
                self._open()
            while (result := self._newest.take()) is not None:
                self._send(result)
            self._end()
        except SteadymarkError as error:
            self._end(error.sentence)
        except Exception as error:
            log.exception("sending to %s", self._report.target)
            self._end(
                UserText(
                    "sending to {target} ended ({kind}: {error}); tracking continues",
                    target=self._report.target,
                    kind=type(error).__name__,
                    error=error,
                )
            )

    def _send(self, result: TrackResult) -> None:
        assert self._writer is not None
        for face in result.faces:
            if face.stabilized is not None and len(face.stabilized.score) != POINTS:
                raise SinkError(
                    "{target} takes iBUG's 68 landmarks, and this model has {count}: choose "
                    "another model",
                    target=self._report.target,
                    count=len(face.stabilized.score),
                )
        if isinstance(self._writer, CharacterWriter):
            self._writer.use_expressions(self._expressions)
        sent, lost = self._writer.send(result)
        if sent and self._neutral_wanted.is_set():  # the writer knows the faces of this result now
            self._neutral_wanted.clear()
            if isinstance(self._writer, ExpressionWriter):
                self._writer.choose_neutral()
        has_receiver = self._writer.has_receiver
        with self._lock:
            report = self._report
            self._report = replace(
                report,
                sent=report.sent + sent,
                dropped=report.dropped + lost,
                has_receiver=has_receiver,
            )

    def _end(self, fault: UserText = NOTHING) -> None:
        self._newest.close()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        self._update(state=SendState.FAILED if fault else SendState.CLOSED, fault=fault)

    def _update(self, *, state: SendState, fault: UserText = NOTHING) -> None:
        with self._lock:
            self._report = replace(self._report, state=state, fault=fault)
        self._on_change()


class Senders:
    """All senders of one input."""

    def __init__(
        self, targets: Iterable[StreamTarget], expressions: ExpressionSettings = AS_MEASURED
    ) -> None:
        self._all = [Sender(target, expressions=expressions) for target in targets]

    def open(self) -> None:
        """Open all targets.

        Raises:
            SinkError: A target cannot be opened; call `close` for those that are open already.
        """
        for sender in self._all:
            sender.open()

    def offer(self, result: TrackResult) -> None:
        """Hand over a result to all senders; never blocks."""
        for sender in self._all:
            sender.offer(result)

    def close(self) -> tuple[UserText, ...]:
        """Close all senders and return a sentence about each."""
        for sender in self._all:
            sender.close()
        return tuple(sender.report.summary for sender in self._all)

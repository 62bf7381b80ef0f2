"""The analysis of a recording: its ground truth, its measures and the comparison of variants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.analysis.comparison import Comparison
from steadymark.app.session.analysis.face_measures import MeasureSelection
from steadymark.app.session.analysis.ground_truth import (
    GroundTruth,
    ground_truth_beside,
    load_ground_truth,
)
from steadymark.app.session.analysis.heatmap_worker import HeatmapRequest, HeatmapWorker
from steadymark.app.session.analysis.measure_worker import (
    MeasureReply,
    MeasureRequest,
    MeasureWorker,
)
from steadymark.app.session.analysis.second_pass import SecondPass
from steadymark.app.session.analysis.table_pass import TablePass
from steadymark.app.session.analysis.variants import RAW_AND_STABILIZED, settings_of_variant
from steadymark.app.session.background_opening import needs_retracking
from steadymark.app.session.worker_threads import CoalescedCallback
from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.comparison import ComparedPoints
    from steadymark.app.session.analysis.measure_worker import ReviewedValues
    from steadymark.app.session.analysis.variants import Variant, VariantPair
    from steadymark.app.session.background_opening import ModelCache
    from steadymark.app.session.display_model import DisplayModel
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.results import Results, Trail
    from steadymark.app.session.shown_source import ShownSource
    from steadymark.app.session.state import Display
    from steadymark.engine.core.types import Frame, TrackedFace
    from steadymark.engine.tracking.settings import TrackSettings

_MAX_UNUSED_PASSES = 2  # number of second passes kept that are not compared at present


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The result of a thread that loads ground truth. recording: the one it was loaded for."""

    recording: OpenRecording
    truth: GroundTruth | None = None
    fault: UserText = NOTHING


class Analysis(QObject):
    """The analysis that belongs to one session. It lives in the GUI thread.

    Attributes:
        message_posted: Emitted with a UserText: a fault for the user.
        measures_requested: Emitted when new measures are needed.
        measures_changed: Emitted with a MeasureReply when there are new measures.
        frame_changed: Emitted when the frame must be painted again.
        results_changed: Emitted when a second pass has tracked more frames.
        heatmaps_changed: Emitted with a HeatmapReply when there are new heatmaps.

    Args:
        model: The model of what is displayed. It is the parent of this object.
        source: Returns the recording or live view that is shown and measured.
        models: Returns the networks that are open.
        settings: Returns the current settings of the session.
        is_recording_awaited: Returns whether a recording is being opened while another source is
            shown.
        run_in_background: Runs work on a thread that the session waits for when it closes.
    """

    message_posted = Signal(object)
    measures_requested = Signal()
    measures_changed = Signal(object)
    frame_changed = Signal()
    results_changed = Signal()
    heatmaps_changed = Signal(object)
    _loaded = Signal(object)
    _measures_ready = Signal()
    _heatmaps_ready = Signal()
    _pass_changed = Signal()

    def __init__(
        self,
        model: DisplayModel,
        *,
        source: Callable[[], ShownSource],
        models: Callable[[], ModelCache],
        settings: Callable[[], TrackSettings],
        is_recording_awaited: Callable[[], bool],
        run_in_background: Callable[[Callable[[], None], str], None],
    ) -> None:
        super().__init__(model)
        self._model, self._source, self._models = model, source, models
        self._settings, self._is_recording_awaited = settings, is_recording_awaited
        self._run_in_background = run_in_background
        self._recording: OpenRecording | None = None
        self.truth: GroundTruth | None = None
        self._pending_truth_path: Path | None = None  # that of the recording being opened
        self._next_truth_path: Path | None = None  # the same, which survives the next `end`
        self.region = ""
        self.variants: VariantPair = RAW_AND_STABILIZED
        self.compared: ComparedPoints | None = None
        self._passes: dict[Variant, SecondPass | TablePass] = {}
        self._pass_callback = CoalescedCallback(self._pass_changed.emit)
        self._pass_changed.connect(self._on_pass_changed, Qt.ConnectionType.QueuedConnection)
        queued = Qt.ConnectionType.QueuedConnection
        self._loaded.connect(self._on_loaded, queued)
        self._measures_ready.connect(self._on_measures_ready, queued)
        self._measure_worker = MeasureWorker(self._measures_ready.emit)
        self._cancelled: list[MeasureWorker] = []  # workers whose threads may still run
        self._heatmaps_ready.connect(self._on_heatmaps_ready, queued)
        self._heatmap_worker = HeatmapWorker(self._heatmaps_ready.emit)

    def begin(self, recording: OpenRecording) -> None:
        """Start with a recording that was opened.

        Ground truth beside the recording is loaded unless the user has chosen another file.
        """
        self._recording = recording
        self._load(recording, self._pending_truth_path)
        self._pending_truth_path = None

    def expect_recording(self) -> None:
        """Forget which ground truth was named for a recording that was not opened."""
        self._pending_truth_path = None

    def keep_truth_for_next(self) -> None:
        """Keep the ground truth that was named for the next recording beyond the next `end`."""
        self._next_truth_path = self._pending_truth_path

    def end(self) -> None:
        """Forget the recording. It was closed, or another one is being opened."""
        self._recording = self.truth = self.compared = None
        self._pending_truth_path, self._next_truth_path = self._next_truth_path, None
        self.variants = RAW_AND_STABILIZED
        self.cancel_measures()
        for variant in list(self._passes):
            self._drop(variant)

    def close(self, timeout_s: float) -> bool:
        """End the worker threads for good. Returns whether all of them ended in time."""
        self._measure_worker.close()
        self._heatmap_worker.close()
        ended = [self._heatmap_worker.join(timeout_s)]
        ended += [worker.join(timeout_s) for worker in (self._measure_worker, *self._cancelled)]
        return all(ended)

    def cancel_measures(self) -> None:
        """Give up the measures in progress, because their results are no longer shown.

        The next request does not wait for them: one step over a long recording takes a second.
        """
        self._cancelled = [worker for worker in self._cancelled if not worker.join(0)]
        self._measure_worker.close()
        self._cancelled.append(self._measure_worker)
        self._measure_worker = MeasureWorker(self._measures_ready.emit)

    def load_ground_truth(self, path: Path) -> bool:
        """Load ground truth for the recording that is open or being opened.

        It replaces the ground truth that was loaded before. `message_posted`
        is emitted with a fault.

        Returns:
            Whether there is such a recording.
        """
        if self._is_recording_awaited():
            self._pending_truth_path = path
            return True
        if not self._source().comparable:
            return False
        if self._recording is not None:
            self._load(self._recording, path)
        else:
            self._pending_truth_path = path
        return True

    def ground_truth_at(self, index: int) -> NDArray[np.float64] | None:
        """Return the true landmarks of a frame, (K, 2) in pixels, or None without ground truth."""
        return None if self.truth is None else self.truth.points[index]

    def remove_ground_truth(self) -> None:
        """Stop comparing with the ground truth."""
        self.truth = None
        self._refresh_all()

    def set_region(self, name: str) -> None:
        """Choose the region whose jitter is plotted. An empty name means the whole face."""
        self.region = name
        self.measures_requested.emit()

    def request_measures(
        self,
        face: int | None,
        landmark: int,
        *,
        reviewed: ReviewedValues,
    ) -> None:
        """Request measures. A newer request replaces an older one.

        Args:
            face: The face; None takes the first one.
            landmark: The landmark.
            reviewed: What the user has said of the results.
        """
        results, fps = self._results, self._source().fps
        if results is None:
            return
        self._track_variants()  # again if the settings have changed
        passes = {v: p.results for v, p in self._passes.items() if p.results is not None}
        comparison = Comparison(self.variants, self._settings(), passes)
        chosen = MeasureSelection(face, landmark, self.region)
        request = MeasureRequest(results, fps, chosen, self.truth, comparison, reviewed)
        self._measure_worker.request(request)

    def complete_display(self, display: Display) -> Display:
        """Return the display completed with the ground truth and the compared variants."""
        truth = "" if self.truth is None else self.truth.name
        return replace(display, truth=truth, variants=self.variants)

    def compare(self, variants: VariantPair) -> None:
        """Compare these two variants.

        Variants that need their own tracking start it immediately, and tables are read.
        """
        if self._recording is None:
            return
        self.variants, self.compared = variants, None
        self._track_variants()
        for variant in [v for v in self._passes if v not in variants][:-_MAX_UNUSED_PASSES]:
            self._drop(variant)
        self._refresh_all()

    def running_passes(self) -> tuple[tuple[Variant, float], ...]:
        """Return the compared variants that are being tracked, each with its share in [0, 1]."""
        return tuple(
            (variant, p.share)
            for variant, p in self._passes.items()
            if variant.tracks and variant in self.variants and not p.done
        )

    @property
    def tables(self) -> tuple[Variant, ...]:
        """The tables that were compared and are still there."""
        return tuple(variant for variant in self._passes if variant.is_table)

    def faces(self, index: int, *, both: bool) -> tuple[TrackedFace, ...] | None:
        """Return the faces of a frame.

        both: their raw and stabilized points are the two variants.
        """
        results = self._results
        if both and self.variants != RAW_AND_STABILIZED:
            compared = self.compared
            if compared is None or compared.results is not results:
                return ()
            return compared.faces(index)
        return None if results is None else results.faces(index)

    def trails(self, index: int, *, over_s: float, both: bool) -> dict[bool, dict[int, Trail]]:
        """Return the trails of raw (True) and stabilized (False) points, or of the two variants."""
        results = self._results
        compared = self.compared
        stale = compared is None or compared.results is not results
        if results is None or (both and self.variants != RAW_AND_STABILIZED and stale):
            return {}
        source = compared if both and compared is not None else results
        return {raw: source.trails(index, over_s=over_s, raw=raw) for raw in (True, False)}

    @property
    def _results(self) -> Results | None:
        return self._source().results

    def _track_variants(self) -> None:
        """Track the recording with the compared variants that need it, and read their tables."""
        recording = self._recording
        if recording is None:
            return
        for variant in self.variants:
            if variant.tracks:
                self._track(variant, recording)
            elif variant.is_table and variant not in self._passes:
                table = TablePass(variant.table, recording, self._pass_callback)
                self._passes[variant] = table
                self._run_in_background(table.run, "table")

    def _track(self, variant: Variant, recording: OpenRecording) -> None:
        """Track the recording with this variant, unless a pass with equivalent settings exists."""
        settings = settings_of_variant(variant, recording.settings)
        before = self._passes.get(variant)
        if before is not None and not needs_retracking(before.settings, settings):
            return
        if before is not None:
            self._drop(variant)
        path, models = recording.media.info.path, self._models()
        self._passes[variant] = second_pass = SecondPass(
            path, settings, models, self._pass_callback
        )
        self._run_in_background(second_pass.run, "second pass")

    def _drop(self, variant: Variant) -> None:
        removed = self._passes.pop(variant)
        removed.close()
        self._run_in_background(removed.wait_closed, "closing")

    def _on_pass_changed(self) -> None:
        self._pass_callback.mark_handled()
        for variant, second_pass in list(self._passes.items()):
            if second_pass.fault:
                self.message_posted.emit(second_pass.fault)
                self._drop(variant)
                if variant in self.variants:
                    self.compare(RAW_AND_STABILIZED)
            elif isinstance(second_pass, TablePass) and second_pass.done:
                self._show_table(second_pass)
        if self._recording is not None:
            self.results_changed.emit()

    def _show_table(self, table: TablePass) -> None:
        """Measure a table that was just read, and tell what does not fit in it."""
        if table.shown:
            return
        table.shown = True
        if table.note:
            self.message_posted.emit(table.note)
        self.measures_requested.emit()

    def request_heatmaps(self, frame: Frame, faces: Sequence[TrackedFace], context: object) -> None:
        """Request heatmaps of a frame. The signal `heatmaps_changed` follows with `context`.

        A newer request replaces an older one.
        """
        models = self._source().models
        if models is not None:
            crops = {face.face_id: face.crop for face in faces if face.crop is not None}
            self._heatmap_worker.request(
                HeatmapRequest(frame.image, crops, models.cards[0], context)
            )

    def _on_heatmaps_ready(self) -> None:
        reply = self._heatmap_worker.newest.take(0)
        if reply is not None and self._results is not None:
            if reply.fault:
                self.message_posted.emit(reply.fault)
            self.heatmaps_changed.emit(reply)

    def _load(self, recording: OpenRecording, path: Path | None) -> None:
        """Load ground truth from the path, or the file beside the recording if the path is None."""
        source, schema = recording.media.info.path, recording.results.schema

        def work() -> None:
            try:
                found = ground_truth_beside(source) if path is None else path
                if found is not None:
                    self._loaded.emit(_Loaded(recording, load_ground_truth(found, source, schema)))
            except SteadymarkError as error:
                self._loaded.emit(_Loaded(recording, fault=error.sentence))
            except OSError as error:
                fault = UserText(
                    "The ground truth of {name} cannot be read: {why}",
                    name=path or source,
                    why=error.strerror,
                )
                self._loaded.emit(_Loaded(recording, fault=fault))

        self._run_in_background(work, "truth")

    def _on_loaded(self, loaded: _Loaded) -> None:
        if loaded.recording is not self._recording:
            return
        if loaded.fault:
            self.message_posted.emit(loaded.fault)
            return
        self.truth = loaded.truth
        self._refresh_all()

    def _on_measures_ready(self) -> None:
        reply: MeasureReply | None = self._measure_worker.newest.take(0)
        if reply is not None and reply.results is self._results:
            self.compared = reply.compared
            self.measures_changed.emit(reply)
            if reply.compared is not None:
                self.frame_changed.emit()

    def _refresh_all(self) -> None:
        self.measures_requested.emit()
        self._model.refresh()
        self.frame_changed.emit()

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
from steadymark.app.session.analysis.variants import PLAIN, variant_of_model
from steadymark.app.session.background_opening import needs_tracking_anew
from steadymark.app.session.worker_threads import SingleCallback
from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.comparison import ComparedPoints
    from steadymark.app.session.analysis.variants import Takes, Variant
    from steadymark.app.session.background_opening import ModelCache
    from steadymark.app.session.display_model import DisplayModel
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.results import Results, Trail
    from steadymark.app.session.shown_source import ShownSource
    from steadymark.app.session.state import Display
    from steadymark.engine.core.types import Frame, TrackedFace
    from steadymark.engine.tracking.settings import TrackSettings

_MOST_KEPT = 2  # number of second passes kept that are not compared at present


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The result of a thread that loads ground truth. film: the recording it was loaded for."""

    film: OpenRecording
    truth: GroundTruth | None = None
    fault: UserText = NOTHING


class Analysis(QObject):
    """The analysis that belongs to one session. It lives in the GUI thread.

    The signals are: told (a fault for the user, a UserText), asked (new measures are needed),
    measured (new measures exist, a MeasureReply), pictured (the frame must be shown again),
    progressed (a second pass has tracked more frames) and heated (new heatmaps exist, a
    HeatmapReply).

    Args:
        model: The model of what is displayed. It is the parent of this object.
        shown: Returns what the window shows, which is measured.
        models: Returns the networks that are open.
        settings: Returns the current settings of the session.
        run_aside: Runs work on a thread that the session waits for when it closes.
    """

    told = Signal(object)
    asked = Signal()
    measured = Signal(object)
    pictured = Signal()
    progressed = Signal()
    _loaded = Signal(object)
    _measures_came = Signal()
    heated = Signal(object)  # a HeatmapReply
    _heats_came = Signal()
    _pass_came = Signal()

    def __init__(
        self,
        model: DisplayModel,
        *,
        shown: Callable[[], ShownSource],
        models: Callable[[], ModelCache],
        settings: Callable[[], TrackSettings],
        run_aside: Callable[[Callable[[], None], str], None],
    ) -> None:
        super().__init__(model)
        self._model, self._shown, self._models = model, shown, models
        self._settings, self._run_aside = settings, run_aside
        self._film: OpenRecording | None = None
        self.truth: GroundTruth | None = None
        self._wanted: Path | None = None  # ground truth of the recording that is being opened
        self.region = ""
        self.takes: Takes = PLAIN
        self.compared: ComparedPoints | None = None
        self._passes: dict[Variant, SecondPass] = {}
        self._pass_calls = SingleCallback(self._pass_came.emit)
        self._pass_came.connect(self._on_pass, Qt.ConnectionType.QueuedConnection)
        queued = Qt.ConnectionType.QueuedConnection
        self._loaded.connect(self._on_loaded, queued)
        self._measures_came.connect(self._on_measures, queued)
        self._measuring = MeasureWorker(self._measures_came.emit)
        self._heats_came.connect(self._on_heats, queued)
        self._heating = HeatmapWorker(self._heats_came.emit)

    def begin(self, film: OpenRecording) -> None:
        """Start with a recording that was opened.

        Its ground truth is looked for unless it was named.
        """
        self._film = film
        self._load(film, self._wanted)
        self._wanted = None

    def end(self) -> None:
        """Forget the recording. It was closed, or another one is being opened."""
        self._film = self.truth = self._wanted = self.compared = None
        self.takes = PLAIN
        for taken in list(self._passes):
            self._drop(taken)

    def close(self, timeout_s: float) -> bool:
        """End the worker threads for good. Returns whether all of them ended in time."""
        self._measuring.close()
        self._heating.close()
        return self._measuring.join(timeout_s) and self._heating.join(timeout_s)

    def load_truth(self, path: Path) -> bool:
        """Load ground truth for the recording that is open or being opened.

        It replaces the ground truth that was loaded before. The signal `told` carries faults.

        Returns:
            Whether there is such a recording.
        """
        if not self._shown().comparable:
            return False
        if self._film is not None:
            self._load(self._film, path)
        else:
            self._wanted = path
        return True

    def truth_at(self, index: int) -> NDArray[np.float64] | None:
        """Return the true landmarks of a frame, (K, 2) in pixels, or None without ground truth."""
        return None if self.truth is None else self.truth.points[index]

    def forget_truth(self) -> None:
        """Stop comparing with the ground truth."""
        self.truth = None
        self._renew()

    def choose_region(self, name: str) -> None:
        """Choose the region whose jitter is plotted. An empty name means the whole face."""
        self.region = name
        self.asked.emit()

    def ask(self, face: int | None, landmark: int) -> None:
        """Ask for measures of a face and a landmark. A newer request replaces an older one."""
        results, fps = self._results, self._shown().fps
        if results is None:
            return
        self._track_variants()  # again if the settings have changed
        passes = {t: p.results for t, p in self._passes.items() if p.results is not None}
        comparison = Comparison(self.takes, self._settings(), passes)
        choice = MeasureSelection(face, landmark, self.region)
        self._measuring.ask(MeasureRequest(results, fps, choice, self.truth, comparison))

    def shown(self, display: Display) -> Display:
        """Return the display completed with the ground truth and the compared variants."""
        truth = "" if self.truth is None else self.truth.name
        return replace(display, truth=truth, takes=self.takes)

    def compare(self, takes: Takes) -> None:
        """Compare these two variants.

        Variants that need their own tracking start it immediately.
        """
        if self._film is None:
            return
        self.takes, self.compared = takes, None
        self._track_variants()
        for taken in [t for t in self._passes if t not in takes][:-_MOST_KEPT]:
            self._drop(taken)
        self._renew()

    def passes(self) -> tuple[tuple[Variant, float], ...]:
        """Return the compared variants that are being tracked, each with its share in [0, 1]."""
        return tuple(
            (take, p.share) for take, p in self._passes.items() if take in self.takes and not p.done
        )

    def faces(self, index: int, *, both: bool) -> tuple[TrackedFace, ...] | None:
        """Return the faces of a frame.

        both: their raw and stabilized points are the two variants.
        """
        results = self._results
        if both and self.takes != PLAIN:
            made = self.compared
            there = made is not None and made.results is results
            return made.faces(index) if made is not None and there else ()
        return None if results is None else results.faces(index)

    def trails(self, index: int, *, over_s: float, both: bool) -> dict[bool, dict[int, Trail]]:
        """Return the trails of raw (True) and stabilized (False) points, or of the two variants."""
        results = self._results
        made = self.compared
        stale = made is None or made.results is not results
        if results is None or (both and self.takes != PLAIN and stale):
            return {}
        source = made if both and made is not None else results
        return {raw: source.trails(index, over_s=over_s, raw=raw) for raw in (True, False)}

    @property
    def _results(self) -> Results | None:
        return self._shown().results

    def _track_variants(self) -> None:
        """Track the recording with the compared variants that need a tracking of their own."""
        for take in self.takes:
            if take.tracks and self._film is not None:
                self._track(take, self._film)

    def _track(self, take: Variant, film: OpenRecording) -> None:
        """Track the recording with this variant, unless a pass with equivalent settings exists."""
        settings = variant_of_model(take, film.settings)
        before = self._passes.get(take)
        if before is not None and not needs_tracking_anew(before.settings, settings):
            return
        if before is not None:
            self._drop(take)
        path, models = film.film.info.path, self._models()
        self._passes[take] = made = SecondPass(path, settings, models, self._pass_calls)
        self._run_aside(made.run, "second pass")

    def _drop(self, take: Variant) -> None:
        gone = self._passes.pop(take)
        gone.close()
        self._run_aside(gone.leave, "closing")

    def _on_pass(self) -> None:
        self._pass_calls.arrived()
        for take, made in list(self._passes.items()):
            if made.fault:
                self.told.emit(made.fault)
                self._drop(take)
                if take in self.takes:
                    self.compare(PLAIN)
        if self._film is not None:
            self.progressed.emit()

    def ask_heats(self, frame: Frame, faces: Sequence[TrackedFace], shown: object) -> None:
        """Ask for heatmaps of a frame. `heated` follows and carries `shown`; newer requests win."""
        models = self._shown().models
        if models is not None:
            crops = {face.face_id: face.crop for face in faces if face.crop is not None}
            self._heating.ask(HeatmapRequest(frame.image, crops, models.cards[0], shown))

    def _on_heats(self) -> None:
        heats = self._heating.newest.take(0)
        if heats is not None and self._results is not None:
            if heats.fault:
                self.told.emit(heats.fault)
            self.heated.emit(heats)

    def _load(self, film: OpenRecording, path: Path | None) -> None:
        """Load ground truth from the path, or the file beside the recording if the path is None."""
        source, schema = film.film.info.path, film.results.schema

        def work() -> None:
            try:
                found = ground_truth_beside(source) if path is None else path
                if found is not None:
                    self._loaded.emit(_Loaded(film, load_ground_truth(found, source, schema)))
            except SteadymarkError as error:
                self._loaded.emit(_Loaded(film, fault=error.sentence))
            except OSError as error:
                fault = UserText(
                    "The ground truth of {name} cannot be read: {why}",
                    name=path or source,
                    why=error.strerror,
                )
                self._loaded.emit(_Loaded(film, fault=fault))

        self._run_aside(work, "truth")

    def _on_loaded(self, loaded: _Loaded) -> None:
        if loaded.film is not self._film:
            return
        if loaded.fault:
            self.told.emit(loaded.fault)
            return
        self.truth = loaded.truth
        self._renew()

    def _on_measures(self) -> None:
        answer: MeasureReply | None = self._measuring.newest.take(0)
        if answer is not None and answer.results is self._results:
            self.compared = answer.compared
            self.measured.emit(answer)
            if answer.compared is not None:
                self.pictured.emit()

    def _renew(self) -> None:
        self.asked.emit()
        self._model.refresh()
        self.pictured.emit()

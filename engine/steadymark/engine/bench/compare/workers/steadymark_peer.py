"""A landmark model of Steadymark, shipped or added, as a peer."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from steadymark.engine.core.types import Frame
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points


class SteadymarkPeer:
    """Tracks one face with the settings of `steadymark track`, on one CPU thread."""

    order = "bgr"

    def __init__(self, options: dict[str, str]) -> None:
        usual = TrackSettings()
        self._settings = TrackSettings(
            model=options["model"],
            detector=options.get("detector", usual.detector),
            stabilizer=options.get("stabilizer", usual.stabilizer),
            device="cpu",
        )
        self._models = open_models(self._settings)
        self.landmarks = self._models.schema.name
        self.versions = _versions("steadymark", "numpy", "onnxruntime", "onnxruntime-gpu")
        self._tracker = make_tracker(self._models, self._settings)
        self._index = 0

    def start_clip(self, width: int, height: int) -> None:
        self._tracker, self._index = make_tracker(self._models, self._settings), 0

    def track(self, image: Image, time_s: float) -> Points | NDArray[Any] | None:
        faces = self._tracker.track(Frame(image, self._index, time_s)).faces
        self._index += 1
        return next((f.stabilized.xy_px for f in faces if f.stabilized is not None), None)


def open_peer(options: dict[str, str]) -> SteadymarkPeer:
    """Open the networks.

    Args:
        options: `model`, and where wanted `detector` and `stabilizer`, as in `TrackSettings`.

    Raises:
        SteadymarkError: A model or a detector cannot be used.
    """
    return SteadymarkPeer(options)


def _versions(*packages: str) -> dict[str, str]:
    known = {}
    for package in packages:
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue
    return known

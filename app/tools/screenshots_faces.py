"""Screens of several faces and of a filter comparison, for `tools.screenshots`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np

from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from tools.screenshots import ScreenshotStudio

_FRAMES, _FACES = 45, 6


def shoot_filters(studio: ScreenshotStudio, scheme: str) -> None:
    """Capture one filter with two sets of parameters on the open recording."""
    from steadymark.app.session.analysis.variants import Variant
    from steadymark.app.session.state import ComparisonLayout
    from steadymark.engine.stabilizers.stabilizer_registry import choose

    window, session = studio.window, studio.window.session
    window.messages.dismiss_all()
    variants = Variant("one-euro", own=choose("one-euro", beta=0.5)), Variant("one-euro")
    window.comparison.compare(variants)
    session.set_layout(ComparisonLayout.WIPE)
    studio.until(lambda: _compared(studio, variants))
    studio.shoot(f"{scheme}_filters")


def shoot_faces(studio: ScreenshotStudio, scheme: str, home: Path) -> None:
    """Capture as many faces as there are face colours."""
    from steadymark.app.session.state import Phase, ShownLandmarks

    window, session = studio.window, studio.window.session
    clip = home / "crowd.mp4"
    _make_crowd(clip)
    before = session.settings
    with_more_faces = replace(before, tracker=replace(before.tracker, max_faces=_FACES))
    window.settings.apply_settings(with_more_faces)
    window.open_path(str(clip))
    studio.until(lambda: session.display.path == str(clip))  # the last video stays open until then
    studio.until(lambda: session.display.phase is Phase.FINISHED)
    session.recording.pause()
    session.recording.seek(_FRAMES - 5)
    session.set_shown_landmarks(ShownLandmarks.STABILIZED)
    overlay = session.display.overlay
    bare = replace(overlay, numbers=False, heatmaps=False, crop=False, trails=False)
    session.set_overlay(replace(bare, ids=True, boxes=True, drawings=("axes",)))
    studio.until(lambda: session.display.frame == _FRAMES - 5 and session.measures is not None)
    studio.shoot(f"{scheme}_faces")
    session.set_overlay(overlay)
    window.settings.apply_settings(before)


def _compared(studio: ScreenshotStudio, variants: object) -> bool:
    comparison = studio.window.session.analysis.compared
    return comparison is not None and comparison.variants == variants


def _make_crowd(path: Path) -> None:
    """Make a clip that repeats the demo clip side by side: mirrored, darker and brighter."""
    with av.open(str(assets_root() / "clips" / "demo.mp4")) as demo:
        images = [
            frame.to_ndarray(format="bgr24")
            for _, frame in zip(range(_FRAMES), demo.decode(video=0), strict=False)
        ]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        height, width = images[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = 3 * width, 2 * height, "yuv420p"
        for i in range(_FRAMES):
            tiles = []
            for place in range(_FACES):
                tile = images[(i + 5 * place) % _FRAMES]
                tile = tile[:, ::-1] if place % 2 else tile
                tiles.append((tile * (0.55 + 0.09 * place)).astype(np.uint8))
            rows = [np.concatenate(tiles[k : k + 3], axis=1) for k in (0, 3)]
            crowd = np.ascontiguousarray(np.concatenate(rows))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(crowd, format="bgr24")))
        container.mux(stream.encode(None))

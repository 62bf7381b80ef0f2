"""Small clips with sound, and their times."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VARIABLE = (0, 512, 1400, 1500, 3000, 3512, 5000, 6000, 9000, 9100)  # ticks of 1/15360 s


def make_clip(
    path: Path,
    ticks: Sequence[int],
    *,
    sound: str | None = None,
    sound_s: float = 1.0,
    start_s: int = 0,
) -> Path:
    """A clip of 64x48 frames at these ticks of 1/15360 s, with a tone if `sound` names a codec.

    `start_s` is added to all times.
    """
    tick = Fraction(1, 15360)
    options = {"movie_timescale": "15360"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as output:
        video = output.add_stream("libx264", rate=30, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.time_base = video.codec_context.time_base = tick
        audio = output.add_stream(sound, rate=48000, layout="mono") if sound else None
        for i, pts in enumerate(ticks):
            image = np.full((48, 64, 3), 20 * i % 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = pts + 15360 * start_s, tick
            output.mux(video.encode(frame))
        output.mux(video.encode())
        if isinstance(audio, av.AudioStream):
            tone = np.sin(np.arange(round(48000 * sound_s)) / 20)
            samples = (tone * 8000).astype(np.int16)[None]
            chunk = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            chunk.rate, chunk.pts = 48000, 48000 * start_s
            output.mux(audio.encode(chunk))
            output.mux(audio.encode())
    return path


def frame_times(path: str | Path) -> list[Fraction]:
    """PTS of a clip's frames, in seconds."""
    with av.open(str(path)) as clip:
        return [
            f.pts * f.time_base
            for f in clip.decode(clip.streams.video[0])
            if f.pts is not None and f.time_base is not None
        ]


def sound_extent(path: str | Path) -> tuple[str, float, float]:
    """Codec, begin and end in seconds of the sound of a clip."""
    with av.open(str(path)) as clip:
        stream = clip.streams.audio[0]
        name = stream.codec_context.name
        times = [(f.time or 0.0, f.samples / f.sample_rate) for f in clip.decode(stream)]
    return name, times[0][0], times[-1][0] + times[-1][1]

"""A video file with the landmarks drawn in, in step with its source."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from steadymark.engine.core.errors import SinkError
from steadymark.engine.output.output_paths import cannot_write, open_part, part_of, settle
from steadymark.engine.output.video.audio_copy import AudioCopy
from steadymark.engine.output.video.drawing import DrawOptions, draw

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from steadymark.engine.core.types import SourceInfo, TrackResult
    from steadymark.models.face.crop import Image

_TICKS = 90_000  # a second, where the source tells none
_MOST_TICKS = 1_000_000  # a frame's duration has 32 bits
# no B-frames: decoding order is presentation order then, and players that ignore edit lists stay
# in step with the sound
_X264 = {"crf": "18", "preset": "veryfast", "bf": "0"}
# of a live view: little work, nothing held back
_X264_LIVE = {"crf": "18", "preset": "ultrafast", "tune": "zerolatency", "g": "60"}
# in fragments of a second (µs), which become one plain file in the end
_WHOLE_AT_ANY_TIME = {
    "movflags": "hybrid_fragmented+delay_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
    "max_interleave_delta": "1000000",  # sound may end before the pictures do
}
_BT709 = 1


class AnnotatedVideoSink:
    """Writes H.264 in MP4; frames keep their times, variable or not, and the source its sound.

    From frame 0 on, times are the source's own; a recording that starts later starts at 0. The
    size is that of the first frame, padded to even numbers; frames of other sizes are fitted into
    it. A second is cut into the source's own ticks, so that times stay exact. Killed, or on a full
    disk, it can be played up to its last seconds. hurried: encode with as little work as can be,
    which live sources always do.
    """

    def __init__(
        self,
        path: str | Path,
        source_path: str | None = None,
        options: DrawOptions | None = None,
        *,
        hurried: bool = False,
    ) -> None:
        self._path = Path(path)
        self._source_path = source_path
        self._options = options or DrawOptions()
        self._hurried = hurried
        self._file: IO[bytes] | None = None
        self._fps: float | None = None
        self._movie: _Movie | None = None
        self._broken = False

    @property
    def path(self) -> str:
        return str(self._path)

    def open(self, info: SourceInfo) -> None:
        if "libx264" not in av.codecs_available:
            raise SinkError(
                "this PyAV has no H.264 encoder (libx264): install the wheel from PyPI"
                " (pip install --force-reinstall av), or record CSV only"
            )
        if info.live:
            self._source_path, self._hurried = None, True
        self._fps = info.fps
        self._file = os.fdopen(open_part(self._path, live=info.live), "wb")

    def write(self, result: TrackResult) -> None:
        if self._file is None:
            raise SinkError("cannot write {path}: it is not open", path=self._path)
        clean = not self._options.draws
        picture = result.picture.image if clean else draw(result, self._options)
        try:
            if self._movie is None:
                start_s = None if result.frame.index == 0 else result.frame.pts_s
                size = (picture.shape[1], picture.shape[0])
                self._movie = _Movie(
                    self._file, size, self._fps, self._source_path, start_s, hurried=self._hurried
                )
            self._movie.add(picture, result.frame.pts_s)
            self._file.flush()  # fragments that are whole
        except (OSError, av.FFmpegError) as error:
            self._broken = True
            raise cannot_write(self._path, error) from error

    def close(self, *, complete: bool) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            with file:
                if self._movie is not None:
                    self._movie.close()
        except (OSError, av.FFmpegError) as error:
            if not self._broken:  # else `write` has told
                self._path = settle(self._path, complete=False)
                raise cannot_write(self._path, error) from error
        if self._movie is None:  # no frame came: MP4 knows no empty video
            part_of(self._path).unlink(missing_ok=True)
        else:
            self._path = settle(self._path, complete=complete and not self._broken)


class _Movie:
    """The streams of one file; `start_s` as in AudioCopy."""

    def __init__(
        self,
        file: IO[bytes],
        size: tuple[int, int],
        fps: float | None,
        source_path: str | None,
        start_s: float | None,
        *,
        hurried: bool,
    ) -> None:
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._coding = _X264_LIVE if hurried else _X264
        self._start_s = start_s
        ticks = _ticks(source_path)
        self._tick = Fraction(1, ticks)
        # MP4 keeps the time of the first frame in units of the movie's own, coarser time scale
        options = {"movie_timescale": str(ticks), **_WHOLE_AT_ANY_TIME}
        self._output: OutputContainer = av.open(file, "w", format="mp4", options=options)
        self._video = self._add_video(fps)
        self._audio = source_path and AudioCopy.open(source_path, self._output, start_s)
        self._colours = VideoReformatter()
        self._last: int | None = None
        self._gap = round(ticks / (fps or 25))

    def add(self, picture: Image, pts_s: float) -> None:
        if self._audio:
            self._audio.advance(pts_s)
        fitted = np.ascontiguousarray(_fitted(picture, self._size))
        shared = av.VideoFrame.from_numpy_buffer(fitted, format="bgr24")  # it is only read
        frame = self._colours.reformat(shared, format="yuv420p", dst_colorspace=Colorspace.ITU709)
        pts = round((pts_s - (self._start_s or 0.0)) / self._tick)
        if self._last is not None:
            pts = max(pts, self._last + 1)  # the same time twice would stop the muxer
            self._gap = pts - self._last
        self._last = frame.pts = pts
        frame.time_base = self._tick
        self._output.mux(self._video.encode(frame))

    def close(self) -> None:
        end_s = float(((self._last or 0) + self._gap) * self._tick) + (self._start_s or 0.0)
        try:
            if self._audio:
                self._audio.advance(end_s)
                self._audio.close()
            self._output.mux(self._video.encode())
        finally:
            self._output.close()

    def _add_video(self, fps: float | None) -> VideoStream:
        rate = Fraction(min(max(fps or 25.0, 1.0), 1000.0)).limit_denominator(1001)  # a hint only
        stream = self._output.add_stream("libx264", rate=rate, options=dict(self._coding))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.time_base = self._tick
        context = stream.codec_context
        context.time_base = self._tick
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        return stream


def _ticks(source_path: str | None) -> int:
    """Ticks a second of the source's video, which its times are whole numbers of."""
    if source_path is None:
        return _TICKS
    try:
        with av.open(source_path) as source:
            base = source.streams.video[0].time_base if source.streams.video else None
    except (OSError, av.FFmpegError):  # a folder of pictures, a device
        base = None
    return min(base.denominator, _MOST_TICKS) if base else _TICKS


def _fitted(picture: Image, size: tuple[int, int]) -> Image:
    """Pad by the one row and column that make sizes even, or scale and letterbox into `size`."""
    width, height = size
    down, right = height - picture.shape[0], width - picture.shape[1]
    if down == right == 0:
        return picture
    if down in (0, 1) and right in (0, 1):
        padded = cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REPLICATE)
        return padded.astype(np.uint8, copy=False)
    scale = min(width / picture.shape[1], height / picture.shape[0])
    columns = max(1, round(picture.shape[1] * scale))
    rows = max(1, round(picture.shape[0] * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - rows) // 2, (width - columns) // 2
    small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    canvas[top : top + rows, left : left + columns] = small
    return canvas

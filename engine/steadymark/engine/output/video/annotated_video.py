"""A video with the landmarks drawn in, which keeps the timing and sound of its source."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from steadymark.engine.core.errors import SinkError, SourceError
from steadymark.engine.output.output_paths import cannot_write, finish_part, open_part, part_of
from steadymark.engine.output.video.audio_copy import AudioCopy
from steadymark.engine.output.video.container_file import ContainerFile
from steadymark.engine.output.video.drawing import DrawOptions, draw
from steadymark.engine.sources.video.container import open_container

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from steadymark.engine.core.types import SourceInfo, TrackResult
    from steadymark.models.face.crop import Image
    from steadymark.models.user_text import UserText

_TICKS = 90_000  # per second, if the source has no time base
_MOST_TICKS = 1_000_000  # a frame's duration has 32 bits
# without B-frames, decoding order is presentation order, and players that ignore edit lists stay
# in step with the sound
_X264 = {"crf": "18", "preset": "veryfast", "bf": "0"}
# for live sources: low CPU load and no encoder delay
_X264_LIVE = {"crf": "18", "preset": "ultrafast", "tune": "zerolatency", "g": "60"}
# write fragments of 1 s (1000000 µs), which become one plain MP4 file at the end
_WHOLE_AT_ANY_TIME = {
    "movflags": "hybrid_fragmented+delay_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
    "max_interleave_delta": "1000000",  # the sound may end before the video
}
_BT709 = 1


class AnnotatedVideoSink:
    """Writes H.264 in MP4 with the source's frame times, variable or constant, and its sound.

    If the recording begins at frame 0, times are those of the source. Otherwise, times start at 0.
    The time base is the source's, so that times are exact. The size is that of the first frame,
    padded to even numbers; frames of other sizes are scaled to fit. If the program is killed or the
    disk is full, the file can be played up to its last seconds.

    Args:
        path: Final path of the video.
        source_path: File to copy the sound from; None writes no sound.
        options: What to draw.
        hurried: Use a fast encoder preset. Live sources always use it.
    """

    def __init__(
        self,
        path: str | Path,
        source_path: str | None,
        options: DrawOptions,
        *,
        hurried: bool = False,
    ) -> None:
        self._path = Path(path)
        self._source_path = source_path
        self._options = options
        self._hurried = hurried
        self._file: ContainerFile | None = None
        self._fps: float | None = None
        self._encoder: _VideoEncoder | None = None
        self._broken = False

    @property
    def path(self) -> str:
        return str(self._path)

    @property
    def notes(self) -> tuple[UserText, ...]:
        """What could not be written besides the frames: the rest of the sound."""
        fault = self._encoder.sound_fault if self._encoder else None
        return () if fault is None else (fault,)

    def open(self, info: SourceInfo) -> None:
        if "libx264" not in av.codecs_available:
            raise SinkError(
                "this PyAV has no H.264 encoder (libx264): install the wheel from PyPI"
                " (pip install --force-reinstall av), or record CSV only"
            )
        if info.live:
            self._source_path, self._hurried = None, True
        self._fps = info.fps
        handle = open_part(self._path, live=info.live)
        self._file = ContainerFile(os.fdopen(handle, "wb"))

    def write(self, result: TrackResult) -> None:
        if self._file is None:
            raise SinkError("cannot write {path}: it is not open", path=self._path)
        undrawn = not self._options.draws
        image = result.frame_with_image.image if undrawn else draw(result, self._options)
        try:
            if self._encoder is None:
                start_s = None if result.frame.index == 0 else result.frame.pts_s
                size = (image.shape[1], image.shape[0])
                self._encoder = _VideoEncoder(
                    self._file, size, self._fps, self._source_path, start_s, hurried=self._hurried
                )
            self._encoder.add(image, result.frame.pts_s)
            self._file.flush()  # write complete fragments to the disk
        except (OSError, av.FFmpegError) as error:
            self._broken = True
            raise cannot_write(self._path, error) from error

    def close(self, *, complete: bool) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            with file:
                if self._encoder is not None:
                    self._encoder.close()
                    file.flush()
        except (OSError, av.FFmpegError) as error:
            if not self._broken:  # otherwise `write` has raised the error
                self._path = finish_part(self._path, complete=False)
                raise cannot_write(self._path, error) from error
        if self._encoder is None:  # no frame was written, and MP4 does not support empty videos
            part_of(self._path).unlink(missing_ok=True)
        else:
            self._path = finish_part(self._path, complete=complete and not self._broken)


class _VideoEncoder:
    """The video and audio streams of one file; for `start_s`, see `AudioCopy`."""

    def __init__(
        self,
        file: ContainerFile,
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
        # MP4 stores the time of the first frame in the movie's time scale, coarser by default
        options = {"movie_timescale": str(ticks), **_WHOLE_AT_ANY_TIME}
        self._output: OutputContainer = av.open(file, "w", format="mp4", options=options)
        self._video = self._add_video(fps)
        self._audio = AudioCopy.open(source_path, self._output, start_s) if source_path else None
        self._colours = VideoReformatter()
        self._last: int | None = None
        self._gap = round(ticks / (fps or 25))

    def add(self, image: Image, pts_s: float) -> None:
        if self._audio:
            self._audio.advance(pts_s)
        fitted = np.ascontiguousarray(_fitted(image, self._size))
        shared = av.VideoFrame.from_numpy_buffer(fitted, format="bgr24")  # the array is only read
        frame = self._colours.reformat(shared, format="yuv420p", dst_colorspace=Colorspace.ITU709)
        pts = round((pts_s - (self._start_s or 0.0)) / self._tick)
        if self._last is not None:
            pts = max(pts, self._last + 1)  # the muxer rejects equal times
            self._gap = pts - self._last
        self._last = frame.pts = pts
        frame.time_base = self._tick
        self._output.mux(self._video.encode(frame))

    @property
    def sound_fault(self) -> UserText | None:
        """Why the sound ended early, if it did."""
        return self._audio.fault if self._audio else None

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
    """Return the denominator of the time base of the source's video, in ticks per second."""
    if source_path is None:
        return _TICKS
    try:
        with open_container(Path(source_path)) as source:
            base = source.streams.video[0].time_base if source.streams.video else None
    except SourceError:  # the source is a folder of images or a device
        base = None
    return min(base.denominator, _MOST_TICKS) if base else _TICKS


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Pad an image by at most one row and column to even sizes, or scale and letterbox it."""
    width, height = size
    down, right = height - image.shape[0], width - image.shape[1]
    if down == right == 0:
        return image
    if down in (0, 1) and right in (0, 1):
        padded = cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE)
        return padded.astype(np.uint8, copy=False)
    scale = min(width / image.shape[1], height / image.shape[0])
    columns = max(1, round(image.shape[1] * scale))
    rows = max(1, round(image.shape[0] * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - rows) // 2, (width - columns) // 2
    small = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    canvas[top : top + rows, left : left + columns] = small
    return canvas

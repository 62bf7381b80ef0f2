"""Report of a video file's properties, for users and for diagnosing problems."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.frame_conversion import FrameOrientation, orientation_of
from steadymark.engine.sources.time_spans import mean_fps, uneven_share
from steadymark.engine.sources.video.container import open_container, video_stream
from steadymark.engine.sources.video.decoder import Decoder
from steadymark.engine.sources.video.video_index import read_index

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from steadymark.engine.sources.video.video_index import VideoIndex
    from steadymark.models.user_text import UserText

_VARIABLE_SHARE = 0.01
# Names of the numbers of ITU-T H.273.
_PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "bt601", 7: "smpte240m", 8: "film"}
_PRIMARIES |= {9: "bt2020", 10: "xyz", 11: "dci-p3", 12: "display-p3"}
_TRANSFERS = {1: "bt709", 4: "gamma 2.2", 5: "gamma 2.8", 6: "bt601", 8: "linear", 13: "srgb"}
_TRANSFERS |= {14: "bt2020", 15: "bt2020", 16: "PQ", 18: "HLG"}
_ABSENT = {"decoded": "not counted", "cut_off": "no"}
_CLOCKWISE_DEG = {
    FrameOrientation(): 0,
    FrameOrientation(True, True, False): 90,
    FrameOrientation(False, True, True): 180,
    FrameOrientation(True, False, True): 270,
}


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """Properties of a file and its video stream; times are in seconds.

    Attributes:
        path: The file.
        container: Name of the container format.
        codec: Name of the codec.
        profile: Profile of the codec.
        pixel_format: Pixel format.
        primaries: Colour primaries, such as `bt709`.
        transfer: Transfer characteristics, such as `bt709`, or `PQ` and `HLG` for a high dynamic
            range, which is mapped to 8 bits.
        interlaced: Whether the first frame consists of two fields of different times.
        coded_size: Width and height as coded, in pixels.
        shown_size: Width and height as shown, in pixels.
        rotation_deg: Clockwise rotation that makes the image upright; None if it is also mirrored.
        pixel_aspect: Aspect ratio of a pixel.
        fps_declared: Declared frame rate; None if there is none.
        fps_measured: Mean frame rate; None if it cannot be measured.
        variable_rate: Whether more than 1 % of the intervals are uneven.
        uneven_share: Share of the intervals that differ from their median by more than 5 %.
        start_s: Time of the first frame.
        duration_s: End of the last frame.
        frames: Number of frames.
        cut_off: What is missing if the file was cut off; None if it is whole.
        keyframes: Number of keyframes.
        audio: Descriptions of the audio streams.
        broken_packets: Number of damaged packets.
        decoded: Number of frames that could be decoded; None if they were not counted.
        notes: Problems of the file, as sentences.
    """

    path: str
    container: str
    codec: str
    profile: str
    pixel_format: str
    primaries: str
    transfer: str
    interlaced: bool
    coded_size: tuple[int, int]
    shown_size: tuple[int, int]
    rotation_deg: int | None
    pixel_aspect: str
    fps_declared: float | None
    fps_measured: float | None
    variable_rate: bool
    uneven_share: float
    start_s: float
    duration_s: float
    frames: int
    cut_off: UserText | None
    keyframes: int
    audio: tuple[str, ...]
    broken_packets: int
    decoded: int | None = None
    notes: tuple[UserText, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return one line "name: value" for each property."""
        return tuple(f"{name}: {value}" for name, value in self.as_dict().items())

    def as_dict(self) -> dict[str, str]:
        """Return the names and values as readable text."""
        return {
            f.name.replace("_", " "): _shown(f.name, getattr(self, f.name)) for f in fields(self)
        }


def probe(path: str | Path, *, decode: bool = False) -> ProbeReport:
    """Read all packets of a file and report its properties.

    Args:
        path: The file.
        decode: Whether to decode and count all frames as well.

    Returns:
        The report.

    Raises:
        SourceError: The file is not a video that can be opened.
    """
    path = Path(path)
    container = open_container(path)
    try:
        stream = video_stream(container, path)
        index = read_index(path, container, stream)
        if not len(index):
            raise SourceError(
                "{path} contains no frames, it is truncated or empty: copy it again", path=path
            )
        return _report(path, container, stream, index, decode=decode)
    finally:
        container.close()


def _report(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    index: VideoIndex,
    *,
    decode: bool,
) -> ProbeReport:
    probed = _decode_frames(path, index, decode=decode)
    gaps = np.diff(index.times_s)
    share = uneven_share(index.times_s, float(stream.time_base or 0))
    rate = stream.average_rate or stream.guessed_rate
    return ProbeReport(
        path=str(path),
        container=container.format.long_name or container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        profile=stream.profile or "",
        pixel_format=probed.first.format.name,
        primaries=_PRIMARIES.get(int(probed.first.color_primaries), "unknown"),
        transfer=_TRANSFERS.get(int(probed.first.color_trc), "unknown"),
        interlaced=bool(probed.first.interlaced_frame),
        coded_size=(probed.first.width, probed.first.height),
        shown_size=probed.shown_size,
        rotation_deg=_CLOCKWISE_DEG.get(orientation_of(probed.first, stream)),
        pixel_aspect=str(stream.sample_aspect_ratio or 1).replace("/", ":"),
        fps_declared=float(rate) if rate else None,
        fps_measured=mean_fps(index.times_s),
        variable_rate=share > _VARIABLE_SHARE,
        uneven_share=share,
        start_s=float(index.times_s[0]),
        duration_s=float(index.times_s[-1] + (np.median(gaps) if len(gaps) else 0)),
        frames=len(index),
        cut_off=index.cut_off.sentence if index.cut_off else None,
        keyframes=index.keyframes,
        audio=tuple(_sound(s) for s in container.streams.audio),
        broken_packets=max(index.broken, probed.faults),
        decoded=probed.decoded,
        notes=(*index.notes, *probed.notes),
    )


class _ProbedFrames(NamedTuple):
    first: VideoFrame
    shown_size: tuple[int, int]
    notes: tuple[UserText, ...]
    decoded: int | None
    faults: int


def _decode_frames(path: Path, index: VideoIndex, *, decode: bool) -> _ProbedFrames:
    """Decode the first frame, or all frames."""
    decoder = Decoder(path, index)
    try:
        first, image = decoder.first_image(0)
        return _ProbedFrames(
            first=first.frame,
            shown_size=(int(image.shape[1]), int(image.shape[0])),
            notes=decoder.notes(first),
            decoded=sum(1 for _ in decoder.frames(0)) if decode else None,
            faults=decoder.faults,
        )
    finally:
        decoder.close()


def _sound(stream: AudioStream) -> str:
    context = stream.codec_context
    name = "unknown" if context is None else context.codec.canonical_name
    return f"{name} {stream.rate} Hz, {stream.channels} channels"


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return _ABSENT.get(name, "unknown")
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}"
        case (int(), int()):
            return f"{value[0]} x {value[1]}"
        case tuple():
            return "; ".join(map(str, value)) or "none"
        case _:
            return str(value)

"""Damages videos and reads them.

`python tests/support/videos/damage_videos.py [--seeds N] [NAME …]` takes all videos by default.
A process of its own, because what is looked for may end it: a crash, or reading without end. Says
what it reads before it does so; the exit code is 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.odd_videos import AWKWARD, encoded
from support.videos.video_corpus import SOUND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.core.types import Frame
    from steadymark.models.face.crop import Image

LIMIT_S = 10.0
CUTS = 10
_SEEKS = 6


def damaged(content: bytes, seeds: int) -> Iterator[tuple[str, bytes]]:
    """The file cut off at 10 places, and with 1 % of its bytes altered, once for each seed."""
    for part in range(1, CUTS + 1):
        yield f"cut {part}", content[: len(content) * part // (CUTS + 1)]
    whole = np.frombuffer(content, np.uint8)
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        altered = whole.copy()
        places = random.choice(len(whole), max(1, len(whole) // 100), replace=False)
        altered[places] ^= random.integers(1, 256, len(places), dtype=np.uint8)
        yield f"seed {seed}", altered.tobytes()


def faults_of(path: Path, whole: dict[float, Image]) -> Iterator[str]:
    """What is wrong with how this file is read; whole: the pictures before the damage, by time."""
    began = time.perf_counter()
    try:
        source = VideoFile(path)
        frames = list(source.frames())
    except SourceError as error:
        if "\n" in str(error) or path.name not in str(error):
            yield f"no clear sentence: {error}"
        yield "refused"
        return
    finally:
        with_probe(path)
    yield "read"
    if time.perf_counter() - began > LIMIT_S:
        yield "too slow"
    if any(a.index >= b.index or a.pts_s > b.pts_s for a, b in pairwise(frames)):
        yield "frames run backwards"
    if not np.isfinite(source.times_s).all() or np.any(np.diff(source.times_s) < 0):
        yield "times run backwards"
    told = (*source.problems, *source.info.notes)
    if not told and len(frames) < plainly_decoded(path):
        yield "frames are lost without a word"
    if path.stem.startswith("cut") and not told and not are_times_of(frames, whole):
        yield "other times than before the cut"
    yield from _seek_faults(source, {f.index: f for f in frames}, whole)
    source.close()


def with_probe(path: Path) -> None:
    """It may refuse a file, and nothing else."""
    try:
        probe(path)
    except SourceError:
        return


def plainly_decoded(path: Path) -> int:
    """How many frames FFmpeg gives in one thread, whatever their times are."""
    count = 0
    with av.open(f"file:{path}", metadata_errors="replace") as container:
        stream = container.streams.best("video")
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "NONE"
        try:
            for packet in container.demux(stream):
                try:
                    count += len(packet.decode())
                except av.FFmpegError:
                    continue
        except (av.FFmpegError, IndexError):
            return count
    return count


def are_times_of(frames: list[Frame], whole: dict[float, Image]) -> bool:
    """Whether each of the frames was there, at its time, before the file was cut."""
    known = np.array(list(whole))
    return all(np.abs(known - f.pts_s).min() < 1e-3 for f in frames)


def _seek_faults(
    source: VideoFile, frames: dict[int, Frame], whole: dict[float, Image]
) -> Iterator[str]:
    """A frame that came through unhurt must not be another one when it is sought."""
    for index in np.random.default_rng(1).permutation(len(source.times_s))[:_SEEKS].tolist():
        try:
            still = source.frame_at(index)
        except SourceError:
            continue
        if (still.index, still.pts_s) != (index, source.times_s[index]):
            yield "a seek gives another number"
        if index in frames:
            right = {t for t in _like(frames[index].image, whole) if abs(t - still.pts_s) < 1e-3}
            seen = _like(still.image, whole)
            if right and seen and not right & seen:
                yield f"a seek to {index} gives the frame at {sorted(seen)}"


def _like(image: Image, whole: dict[float, Image]) -> set[float]:
    """Times of the undamaged frames that look like this one."""
    same = ((t, w) for t, w in whole.items() if w.shape == image.shape)
    return {t for t, w in same if np.abs(w.astype(np.int16) - image).mean() < 1}


def main() -> int:
    """Prints one line for each file."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("names", nargs="*")
    reader.add_argument("--seeds", type=int, default=100)
    given = reader.parse_args()
    faulthandler.enable()
    av.logging.set_level(None)
    wrong = 0
    for file in (*map(encoded, SOUND), *AWKWARD):
        if given.names and file.name not in given.names:
            continue
        counts: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            path = file.make(Path(folder))
            whole = {f.pts_s: f.image for f in VideoFile(path).frames()}
            for what, content in damaged(path.read_bytes(), given.seeds):
                print(f"{file.name}, {what}", file=sys.stderr, flush=True)  # noqa: T201
                broken = path.with_name(f"{what.replace(' ', '_')}{path.suffix}")
                broken.write_bytes(content)
                counts.update(faults_of(broken, whole))
                broken.unlink()
        wrong += len(set(counts) - {"read", "refused"})
        print(f"{file.name}: {dict(counts)}", flush=True)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

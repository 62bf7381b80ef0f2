"""Find and read the ground truth of videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import LandmarkFileError, UsageError
from steadymark.engine.output.csv.columns import numbered
from steadymark.engine.output.csv.row_parsing import field_count_fault, open_text
from steadymark.engine.output.csv.table_dialect import dialect_of
from steadymark.engine.output.read_table import read_table
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES, files_of
from steadymark.models.face.pts_file import read_pts
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.metrics.accuracy import Real, Values

_CSV_ENDING, _PTS_FOLDER = "_truth", "annot"
# A ground truth may have this many frames per row, and so many frames more.
_MOST_FRAMES_PER_ROW, _SPARE = 100, 10_000


@dataclass(frozen=True, slots=True)
class LabelledVideo:
    """A video and the place of its ground truth.

    Attributes:
        name: Name of the video, for tables.
        source: The video as `open_source` takes it; None when only the ground truth is known.
        truth: File or folder of the ground truth; None when there is none.
    """

    name: str
    source: str | None
    truth: Path | None


def find_videos(data: Path) -> tuple[LabelledVideo, ...]:
    """Find the video at a path, or the videos with ground truth in a folder and its subfolders.

    Ground truth is a file NAME_truth.csv beside the video or, when the folder holds a single video,
    a folder `annot` as in 300VW.

    Args:
        data: A video file, or a folder.

    Returns:
        The video, or all videos with ground truth.
    """
    if not data.is_dir():
        return (_labelled(data),)
    inside = sorted(p for p in data.iterdir() if p.is_dir() and p.name[0] != ".")
    files = [p for folder in (data, *inside) for p in files_of(folder, VIDEO_SUFFIXES)]
    return tuple(video for p in files if (video := _labelled(p)).truth is not None)


def video_of_truth(truth: Path) -> LabelledVideo:
    """Find the video that belongs to a ground truth; this is the inverse of `find_videos`.

    Args:
        truth: File or folder of the ground truth.

    Returns:
        The ground truth with its video, whose `source` is None if no video lies beside it.
    """
    source = None
    if truth.is_dir() and truth.name == _PTS_FOLDER:
        source = _only_video(truth.parent)
    elif truth.stem.endswith(_CSV_ENDING):
        stem = truth.stem.removesuffix(_CSV_ENDING)
        source = next((p for p in files_of(truth.parent, VIDEO_SUFFIXES) if p.stem == stem), None)
    name = _name(source, truth) if source is not None else truth.stem
    return LabelledVideo(name, None if source is None else str(source), truth)


def read_truth(path: Path) -> Values:
    """Read the true landmarks of a video.

    The path is one of these: a folder of .pts files whose names end in the frame number, counted
    from 1 (from 0 if there is a file with number 0); a table with the columns frame (from 0), x_0
    …, y_0 …; a table of a tracker (Steadymark or OpenFace) with one face; or a table without a
    header, with one row x0,y0,x1,y1 … per frame.

    Args:
        path: Folder or file of the ground truth.

    Returns:
        Landmarks, (T, K, 2), in 0-based pixels, by frame; NaN in frames without ground truth.

    Raises:
        UsageError: There is no ground truth, or it holds several faces per frame.
        LandmarkFileError: The ground truth cannot be parsed; the message says where.
    """
    if path.is_dir():
        return _read_pts_folder(path)
    with open_text(path) as file:
        first = file.readline()
    names = dialect_of(first)[1]
    native = {"timestamp_s", "face_id"} <= set(names)
    if first.lstrip('"').startswith("#") or "timestamp" in names or native:
        return _read_tracker_table(path)
    if "frame" in names:
        return _read_truth_table(path, names)
    return _read_rows(path)


def check_length(truth: Values, path: Path, frames: int) -> None:
    """Check that the ground truth fits a video of `frames` frames; .pts files may leave frames out.

    Args:
        truth: True landmarks, (T, K, 2).
        path: Where the ground truth was read, for the message.
        frames: Number of frames of the video.

    Raises:
        UsageError: The lengths do not match.
    """
    gaps = path.is_dir() and bool(np.isnan(truth).all((1, 2)).any())
    if len(truth) > frames or (len(truth) < frames and not gaps):
        raise UsageError(
            "the ground truth {path} has {given} frames, the video {frames}: they "
            "do not belong together",
            path=path,
            given=len(truth),
            frames=frames,
        )


def _labelled(video: Path) -> LabelledVideo:
    csv = video.with_name(f"{video.stem}{_CSV_ENDING}.csv")
    annot = video.parent / _PTS_FOLDER
    truth = csv if csv.is_file() else None
    if truth is None and annot.is_dir() and _only_video(video.parent) == video:
        truth = annot
    return LabelledVideo(_name(video, truth), str(video), truth)


def _name(video: Path, truth: Path | None) -> str:
    """Return the video's name, or its folder's: all videos of 300VW are called vid.avi."""
    in_folder = truth is not None and truth.is_dir()
    return video.absolute().parent.name if in_folder else video.stem


def _only_video(folder: Path) -> Path | None:
    videos = files_of(folder, VIDEO_SUFFIXES)
    return videos[0] if len(videos) == 1 else None


def _read_pts_folder(folder: Path) -> Values:
    numbers: dict[int, Path] = {}
    for file in folder.glob("*.pts"):
        digits = file.stem[len(file.stem.rstrip("0123456789")) :]
        if not digits or int(digits) in numbers:
            raise UsageError(
                "{file}: its name does not end in a frame number that no other file has", file=file
            )
        numbers[int(digits)] = file
    if not numbers:
        raise UsageError(
            "there are no .pts files in {folder}: name the folder of a video's ground truth",
            folder=folder,
        )
    first = min(1, *numbers)
    points = {number - first: read_pts(file) for number, file in sorted(numbers.items())}
    count = len(next(iter(points.values())))
    _check_span(folder, max(points) + 1, len(points))
    truth = np.full((max(points) + 1, count, 2), np.nan)
    for frame, xy in points.items():
        if len(xy) != count:
            raise LandmarkFileError(
                "{file} has {given} points, not {count}",
                file=numbers[frame + first],
                given=len(xy),
                count=count,
            )
        truth[frame] = xy
    return truth


def _read_tracker_table(path: Path) -> Values:
    table = read_table(path)
    if not len(table):
        raise LandmarkFileError("{path} contains no rows", path=path)
    there = np.isfinite(table.xy_px).all((1, 2))
    frames = table.frame[there]
    if len(np.unique(frames)) < len(frames):
        raise UsageError(
            "{path} has several faces in a frame: ground truth must have one face", path=path
        )
    _check_span(path, int(table.frame.max()) + 1, len(table))
    return _by_frame(int(table.frame.max()) + 1, frames, table.xy_px[there])


def _read_truth_table(path: Path, names: tuple[str, ...]) -> Values:
    points = sum(name.startswith("x_") for name in names)
    wanted = ("frame", *numbered("x", points), *numbered("y", points))
    missing = sorted(set(wanted) - set(names))
    if missing or not points:
        raise LandmarkFileError(
            "{path}, line 1: column '{column}' is missing", path=path, column=(*missing, "x_0")[0]
        )
    rows = _numbers(path, skip=1, columns=[names.index(name) for name in wanted])
    frames = rows[:, 0]
    whole = (frames >= 0) & (frames < 2**31)
    whole[whole] &= frames[whole] % 1 == 0
    if not whole.all() or len(np.unique(frames)) < len(frames):
        raise LandmarkFileError(
            "{path}: column 'frame' must hold each number from 0 once", path=path
        )
    _check_span(path, int(frames.max()) + 1, len(frames))
    xy = np.stack((rows[:, 1 : points + 1], rows[:, points + 1 :]), axis=-1)
    return _by_frame(int(frames.max()) + 1, frames.astype(np.int64), xy)


def _read_rows(path: Path) -> Values:
    rows = _numbers(path, skip=0)
    if rows.shape[1] % 2:
        raise LandmarkFileError(
            UserText.counted(
                "{path} has 1 number in a row: landmarks need an even number (x and y)",
                "{path} has {count} numbers in a row: landmarks need an even number (x and y)",
                path=path,
                count=rows.shape[1],
            )
        )
    return rows.reshape(len(rows), -1, 2)


def _numbers(path: Path, *, skip: int, columns: list[int] | None = None) -> Values:
    with open_text(path) as file:
        numbered = list(enumerate(file.readlines(), start=1))[skip:]
    lines = {number: line for number, line in numbered if line.strip()}
    if not lines:
        raise LandmarkFileError("{path} contains no rows", path=path)
    try:
        return np.loadtxt(
            list(lines.values()), delimiter=",", comments=None, ndmin=2, usecols=columns
        )
    except ValueError as error:
        raise LandmarkFileError(
            "{path} is not a table of ground truth ({error})",
            path=path,
            error=_row_fault(lines, columns),
        ) from error


def _row_fault(lines: dict[int, str], columns: list[int] | None) -> UserText:
    """Return what is wrong with the first row that cannot be read. lines: by their numbers."""
    wanted = len(next(iter(lines.values())).split(","))
    for number, line in lines.items():
        fields = line.strip().split(",")
        for field in fields if columns is None else [fields[i] for i in columns if i < len(fields)]:
            try:
                float(field)
            except ValueError:
                given = field.strip()[:40]
                return UserText(
                    "line {number}, '{given}' is not a number", number=number, given=given
                )
        if len(fields) != wanted:
            return field_count_fault(number, len(fields), wanted)
    return UserText("its rows are not numbers")


def _check_span(path: Path, frames: int, rows: int) -> None:
    """Check the last frame number, so that one wrong number cannot exhaust the memory."""
    if frames > _MOST_FRAMES_PER_ROW * rows + _SPARE:
        raise LandmarkFileError(
            UserText.counted(
                "{path} has 1 row, of frame {last}: check its frame numbers",
                "{path} has {count} rows, the last of frame {last}: check its frame numbers",
                path=path,
                count=rows,
                last=frames - 1,
            )
        )


def _by_frame(count: int, frames: NDArray[np.int64], xy: Real) -> Values:
    truth = np.full((count, *xy.shape[1:]), np.nan)
    truth[frames] = xy
    return truth

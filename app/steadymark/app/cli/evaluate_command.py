"""`steadymark evaluate`: scores of models and other trackers on pictures and videos."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs
from steadymark.app.cli.reports.evaluation_report import ModelScores, report_evaluation
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.accuracy_scores import join_comparisons
from steadymark.engine.metrics.image_evaluation import LabelledImages, compare_faces
from steadymark.engine.metrics.landmark_correspondence import Correspondence
from steadymark.engine.metrics.tracker_tables import ScoredVideo, match_table, prepare_video, track
from steadymark.engine.metrics.video_ground_truth import LabelledVideo, find_videos, video_of_truth
from steadymark.engine.metrics.video_scores import TrackedVideo, shared_still_frames
from steadymark.engine.output.read_table import read_table
from steadymark.engine.sources.input_paths import is_pattern
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.geometry import Recentre
from steadymark.engine.tracking.settings import TrackSettings, open_models
from steadymark.models.datasets import is_image_dataset
from steadymark.models.datasets.hard_faces import PARTS
from steadymark.models.datasets.image_folders import is_two_schemed
from steadymark.models.face.schema import IBUG68_3D, load_schema, schema_names
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console

    from steadymark.engine.tracking.settings import OpenModels


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """The options of the command: models, tables of trackers, and the pictures, videos and truth.

    detector, threshold: as in `track`. An empty detector means the default one.
    schema: landmark schema of the truth, if its files do not name it or have several.
    part: part of a data set that has parts, one of `PARTS`.
    """

    models: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()
    data: Path | None = None
    truth: Path | None = None
    boxes: str | None = None
    landmarks: str | None = None
    recentre: str = "fit"
    stabilizer: str = "auto"
    device: str = "auto"
    detector: str = ""
    threshold: float | None = None
    schema: str | None = None
    part: str | None = None


def run_evaluation(
    options: EvaluationOptions, outputs: OutputFiles, *, out: Console, err: Console
) -> int:
    """Score each model and table, print the figures and write the files. Returns the exit code."""
    _check(options)
    check_outputs(outputs)
    chosen = Correspondence.parse(options.landmarks) if options.landmarks else None
    if _uses_images(options):
        scored, title = _score_images(options, chosen, err)
    else:
        scored, title = _score_videos(options, chosen, outputs, err)
    if chosen is not None:
        title += f", landmarks {chosen}"
    report_evaluation(scored, title, outputs, out=out)
    return 0


def _check(options: EvaluationOptions) -> None:
    """Check the options as far as possible before anything is opened."""
    if options.boxes not in (None, "truth", "detector"):
        raise UsageError(f"unknown boxes '{options.boxes}': choose truth or detector")
    if options.recentre not in tuple(Recentre):
        raise UsageError(f"unknown rule '{options.recentre}': choose fit or eyes")
    _check_choices(options)
    if not options.models and not options.tables:
        raise UsageError("nothing to evaluate: name a model, or a tracker's table with --csv")
    if options.models and options.data is None and options.truth is None:
        raise UsageError("name labelled pictures, or a video with its truth, with --data")
    for name, path in (("--data", options.data), ("--truth", options.truth)):
        if path is not None and not path.exists() and not is_pattern(path):
            raise UsageError(f"{name} {path} does not exist: check the name and the folder")


def _check_choices(options: EvaluationOptions) -> None:
    """Check the names of the truth's schema and of the data set's part."""
    for option, name, known in (
        ("schema", options.schema, schema_names()),
        ("part", options.part, PARTS),
    ):
        if name is not None and name not in known:
            raise UsageError(f"unknown {option} '{name}': choose one of {', '.join(known)}")


def _uses_images(options: EvaluationOptions) -> bool:
    """Return whether the data are labelled pictures and not videos."""
    if options.part is not None and not _has_parts(options.data):
        raise UsageError(f"{options.data} has no parts: leave --part {options.part} out")
    if options.data is None or options.truth is not None:
        return False
    pictures = is_image_dataset(options.data)
    if pictures and options.tables:
        raise UsageError(f"{options.data} holds pictures: --csv needs a video's truth")
    from_truth = options.boxes in (None, "truth")
    if pictures and from_truth and (options.detector or options.threshold is not None):
        raise UsageError("--detector and --threshold need --boxes detector on pictures")
    if pictures and options.stabilizer not in ("auto", "none"):
        raise UsageError(f"{options.data} holds pictures: a stabilizer needs a video")
    return pictures


def _has_parts(data: Path | None) -> bool:
    return data is not None and data.is_dir() and is_two_schemed(data)


def _score_images(
    options: EvaluationOptions, chosen: Correspondence | None, err: Console
) -> tuple[dict[str, ModelScores], str]:
    folder, boxes = options.data or Path(), options.boxes or "truth"
    scored: dict[str, ModelScores] = {}
    notes = [f"part: {options.part or 'all'}"] if _has_parts(folder) else []
    for label, name in short_labels(options.models).items():
        settings = replace(_settings(options, name), stabilizer="none")  # pictures need none
        models = open_models(settings)
        schema = options.schema
        if schema is None and _has_parts(folder) and models.schema.name == IBUG68_3D:
            schema = IBUG68_3D
        images = LabelledImages(folder, schema=schema, part=options.part)
        with _progress(err, label, len(images)) as advance:
            compared = compare_faces(
                models.network,
                images,
                models.schema,
                detector=models.detector if boxes == "detector" else None,
                config=settings.tracker,
                chosen=chosen,
                on_face=advance,
                follower=models.follower,
            )
        scored[label] = ModelScores(compared)
        if chosen is None and len(compared.scored) < compared.schema.count:
            shared = f"{len(compared.scored)} of {compared.schema.count} landmarks, as in the truth"
            notes.append(f"{label}: {shared}")
    return scored, "; ".join([f"{folder}, boxes: {boxes}", *notes])


def _score_videos(
    options: EvaluationOptions, chosen: Correspondence | None, outputs: OutputFiles, err: Console
) -> tuple[dict[str, ModelScores], str]:
    found = _videos(options)
    _check_ground_truth(options, outputs, found[0])
    tables = {str(path): read_table(str(path)) for path in options.tables}
    models = {name: open_models(_settings(options, name)) for name in options.models}
    schemas = {name: opened.schema.name for name, opened in models.items()}
    schema = load_schema(_shared_schema(schemas | {t: table.schema for t, table in tables.items()}))
    truth = options.schema or ""
    videos = [prepare_video(video, schema, chosen, truth_schema=truth) for video in found]
    labels = short_labels((*options.models, *map(str, options.tables)))
    runs: dict[str, list[TrackedVideo]] = {}
    for label, text in labels.items():
        if text in models:
            runs[label] = _track(videos, models[text], _settings(options, text), label, err)
        else:
            runs[label] = [match_table(tables[text], videos[0], name=text)]
    if videos[0].truth is None:
        err.print(
            f"[yellow]note:[/yellow] {escape(_no_ground_truth_note(found[0]))}", soft_wrap=True
        )
        runs = _with_shared_rest_frames(runs)
    scored = {label: _joined_scores(tracked) for label, tracked in runs.items()}
    return scored, str(options.data or options.truth or "tables without truth")


def _shared_schema(schemas: Mapping[str, str]) -> str:
    """Return the landmark schema that all trackers share.

    Args:
        schemas: Schema of each model and table; empty if it is unknown.

    Raises:
        UsageError: They have different schemas, or a table's schema is unknown.
    """
    (first, schema), *others = schemas.items()
    for name, other in others:
        if other != schema:
            raise UsageError(
                f"{first} has the landmarks of {schema or 'no known schema'}, {name} those of "
                f"{other or 'no known schema'}: score them in separate runs"
            )
    if not schema:
        raise UsageError(
            f"{first} does not name its landmark schema, so the eye corners, by whose distance "
            f"errors are divided, are unknown: write the schema into its header"
        )
    return schema


def _videos(options: EvaluationOptions) -> tuple[LabelledVideo, ...]:
    if options.data is not None and options.truth is not None:
        videos: tuple[LabelledVideo, ...] = (
            LabelledVideo(options.data.stem, str(options.data), options.truth),
        )
    elif options.data is not None:
        videos = find_videos(options.data)
    elif options.truth is not None:
        videos = (video_of_truth(options.truth),)
    else:
        videos = (LabelledVideo("the video", None, None),)
    if not videos:
        raise UsageError(
            f"no .pts files in {options.data}, and no videos with truth beside them: name a folder "
            "in 300W form, a video, or a folder of videos with --data"
        )
    if options.tables and len(videos) > 1:
        raise UsageError(
            f"{options.data} holds {len(videos)} videos: name the one that the table is of"
        )
    return videos


def _check_ground_truth(
    options: EvaluationOptions, outputs: OutputFiles, video: LabelledVideo
) -> None:
    """Check that the ground truth suffices for what was asked for."""
    if options.boxes == "truth":
        raise UsageError("videos are tracked from the detector's boxes: leave --boxes out")
    pictures = outputs.plot is not None or outputs.worst is not None
    if video.truth is None and (options.landmarks or pictures):
        raise UsageError(
            "--landmarks, --plot and --worst compare with the truth: say where it is with --truth"
        )
    if video.source is None and (options.models or outputs.worst is not None):
        raise UsageError(f"there is no video beside {video.truth}: name the video with --data")


def _no_ground_truth_note(video: LabelledVideo) -> str:
    if video.source is None:
        return "no truth was given (--truth): only frames in which the face is still are scored"
    return (
        f"there is no truth beside {video.source} ({video.name}_truth.csv or annot): "
        "only frames in which the face is still are scored"
    )


def _track(
    videos: Sequence[ScoredVideo],
    models: OpenModels,
    settings: TrackSettings,
    label: str,
    err: Console,
) -> list[TrackedVideo]:
    tracked = []
    for video in videos:
        with _progress(err, f"{label}: {video.name}", video.frames) as advance:
            table, notes = track(
                video,
                models,
                settings,
                on_progress=lambda _, so_far, a=advance: a(so_far.frames),  # type: ignore[misc]
            )
        for note in notes:
            err.print(f"[yellow]note:[/yellow] {escape(video.name)}: {escape(note)}")
        tracked.append(match_table(table, video, name=label))
    return tracked


def _with_shared_rest_frames(runs: dict[str, list[TrackedVideo]]) -> dict[str, list[TrackedVideo]]:
    still = shared_still_frames([videos[0] for videos in runs.values()])
    if still is None:
        return runs
    return {label: [replace(videos[0], still=still)] for label, videos in runs.items()}


def _joined_scores(videos: list[TrackedVideo]) -> ModelScores:
    parts = [part for video in videos if (part := video.compared()) is not None]
    return ModelScores(join_comparisons(parts) if parts else None, tuple(videos))


def _settings(options: EvaluationOptions, model: str) -> TrackSettings:
    """Return the settings as `steadymark track` uses them."""
    return TrackSettings(
        model=model,
        stabilizer=options.stabilizer,
        device=options.device,
        detector=options.detector or DEFAULT_DETECTOR,
        detector_threshold=options.threshold,
        tracker=TrackerConfig(recentre=Recentre(options.recentre)),
    )


def short_labels(texts: Sequence[str]) -> dict[str, str]:
    """Give models and files short labels: a file's stem where that is unique."""
    files = (".onnx", ".json", ".csv")
    short = [Path(t).stem if Path(t).suffix in files else t for t in texts]
    labels = [s if short.count(s) == 1 else t for s, t in zip(short, texts, strict=True)]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise UsageError(f"{twice} is named twice: once is enough")
    return dict(zip(labels, texts, strict=True))


@contextmanager
def _progress(err: Console, text: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar. The yielded function sets how much is done."""
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task(escape(text), total=total)
        yield lambda done: progress.update(task, completed=done)

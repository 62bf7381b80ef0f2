"""Benchmarks of the 3D face: head pose, expressions, action units and gaze."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steadymark.app.cli.bench.bench_options import Table
from steadymark.app.cli.error_boundary import err, out, report_errors
from steadymark.app.cli.help_groups import INPUT, OUTPUT, SCENES, help_groups

Data = Annotated[Path, typer.Option(help="The folder that contains face3d.")]
People = Annotated[int, typer.Option(min=1, help="Number of random people.")]
Yaw = Annotated[float, typer.Option(min=0, max=90, help="Largest yaw in degrees.")]
Noise = Annotated[
    float, typer.Option(min=0, help="Noise of the landmarks, in % of the distance of the eyes.")
]
Seed = Annotated[int, typer.Option(help="Seed of the random faces.")]
Neutral = Annotated[
    bool,
    typer.Option(
        "--known-neutral", help="Each person shows a neutral face first, and says that it is."
    ),
]
Learned = Annotated[
    int, typer.Option(min=0, help="Frames of each person before the first that is measured.")
]
Whole = Annotated[
    bool,
    typer.Option(
        "--whole-recording", help="The persons' faces are learned from all frames, as at the end."
    ),
]
_SCENES = "people yaw noise seed known_neutral learned whole_recording"
_GROUPS = {INPUT: "data", SCENES: _SCENES, OUTPUT: "json_file"}


@help_groups(_GROUPS)
def pose(
    data: Data,
    people: People = 20,
    yaw: Yaw = 45.0,
    noise: Noise = 0.5,
    seed: Seed = 0,
    known_neutral: Neutral = False,
    learned: Learned = 20,
    whole_recording: Whole = False,
    json_file: Table = None,
) -> None:
    """Measure the head pose and 3D landmarks of random faces that make expressions."""
    from steadymark.app.cli.bench.face3d_report import report_pose
    from steadymark.engine.bench.face3d.face3d_benchmark import FaceChoice

    def run() -> int:
        which = known_neutral, learned, whole_recording
        choice = FaceChoice(people, yaw, noise / 100, seed, *which)
        report_pose(data, choice, json_file, out=out, err=err)
        return 0

    report_errors(run)


@help_groups(_GROUPS)
def expressions(
    data: Data,
    people: People = 20,
    yaw: Yaw = 45.0,
    noise: Noise = 0.5,
    seed: Seed = 0,
    known_neutral: Neutral = False,
    learned: Learned = 20,
    whole_recording: Whole = False,
    json_file: Table = None,
) -> None:
    """Measure ARKit's face shapes on random faces whose expressions are known."""
    from steadymark.app.cli.bench.face3d_report import report_expressions
    from steadymark.engine.bench.face3d.face3d_benchmark import FaceChoice

    def run() -> int:
        which = known_neutral, learned, whole_recording
        choice = FaceChoice(people, yaw, noise / 100, seed, *which)
        report_expressions(data, choice, json_file, out=out, err=err)
        return 0

    report_errors(run)


@help_groups(_GROUPS)
def units(
    data: Data,
    people: People = 20,
    yaw: Yaw = 45.0,
    noise: Noise = 0.5,
    seed: Seed = 0,
    known_neutral: Neutral = False,
    learned: Learned = 20,
    whole_recording: Whole = False,
    json_file: Table = None,
) -> None:
    """Measure FACS' action units on random faces whose expressions are known."""
    from steadymark.app.cli.bench.face3d_report import report_units
    from steadymark.engine.bench.face3d.face3d_benchmark import FaceChoice

    def run() -> int:
        which = known_neutral, learned, whole_recording
        choice = FaceChoice(people, yaw, noise / 100, seed, *which)
        report_units(data, choice, json_file, out=out, err=err)
        return 0

    report_errors(run)


@help_groups({**_GROUPS, SCENES: "people yaw noise seed"})
def gaze(
    data: Data,
    people: People = 20,
    yaw: Yaw = 30.0,
    noise: Noise = 0.5,
    seed: Seed = 0,
    json_file: Table = None,
) -> None:
    """Measure the gaze of random people with exact pupils, before and after a calibration.

    Pupils have the same noise as landmarks.
    """
    from steadymark.app.cli.bench.face3d_report import report_gaze
    from steadymark.engine.bench.face3d.gaze_benchmark import GazeChoice

    def run() -> int:
        report_gaze(data, GazeChoice(people, yaw, noise / 100, seed), json_file, out=out, err=err)
        return 0

    report_errors(run)

"""Options that several commands of `steadymark bench` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Faces = Annotated[
    Path, typer.Option(help="A folder of labelled faces, as 300W or in another supported format.")
]
Model = Annotated[str, typer.Option(help="Name of a model, or an .onnx file.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Table = Annotated[Path | None, typer.Option("--json", help="Write the table to this JSON file.")]
Clips = Annotated[list[str], typer.Argument(metavar="INPUT…", help="Videos or folders of videos.")]
SceneSeed = Annotated[int, typer.Option(help="Seed of the random scenes.")]

"""Options that the commands of `steadymark-train` share, and checks of their values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from steadymark.models.errors import DataError

Data = Annotated[Path, typer.Option(help="The data folder with 300w/ and faces/, or a data set.")]
Val = Annotated[
    Path | None, typer.Option(help="Data set for validation, instead of a part of --data.")
]
Out = Annotated[Path, typer.Option(help="Folder of the run's checkpoints and curve.")]
Preset = Annotated[
    str, typer.Option(help="Size and recipe: lite or paper; heatmap1d also has fast and base.")
]
Minutes = Annotated[
    float, typer.Option(help="Time of the whole training in minutes, over all resumptions.")
]
Steps = Annotated[int, typer.Option(help="Number of training steps, instead of minutes.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue from the run's last checkpoint.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Seed = Annotated[
    int, typer.Option(help="Seed of the initial weights, the samples and their order.")
]
Workers = Annotated[int, typer.Option(help="Number of processes that prepare samples.")]
Threads = Annotated[int, typer.Option(help="CPU threads of the network; 0 means all cores.")]
Start = Annotated[
    str,
    typer.Option(
        help="Start from the weights of this .pt file or exported .onnx file (fine-tuning)."
    ),
]
Alter = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change a field of the recipe, for example rate=1e-3 or "
        "network.gamma=0.2. May be repeated.",
    ),
]
MOST_WORKERS = 256  # largest number of processes or threads


def check_run(
    *,
    data: Path,
    out: Path | None = None,
    val: str = "",
    minutes: float = 1.0,
    steps: int = 0,
    seed: int = 0,
    workers: int = 0,
    threads: int = 0,
    start: str = "",
    device: str = "auto",
    **_: object,
) -> None:
    """Check the options of a run before any data is read, and create the folder `out`.

    Raises:
        ValueError: A value is out of range; the message names the option.
        DataError: A data path does not exist.
        OSError: The folder `out` cannot be created.
    """
    for option, folder in (("--data", data), ("--val", Path(val) if val else data)):
        if not folder.exists():
            raise DataError(f"{option} {folder} does not exist: name a folder or a data set")
    if not (math.isfinite(minutes) and minutes > 0):
        raise ValueError(f"--minutes {minutes:g}: give a number above 0")
    for option, value, most in (
        ("--steps", steps, 10**9),
        ("--seed", seed, 2**31),
        ("--workers", workers, MOST_WORKERS),
        ("--threads", threads, MOST_WORKERS),
    ):
        if not 0 <= value <= most:
            raise ValueError(f"--{option[2:]} {value}: give a number from 0 to {most}")
    _check_places(out, start, device)


def _check_places(out: Path | None, start: str, device: str) -> None:
    if start and not Path(start).is_file():
        raise ValueError(f"--start {start} does not exist: name a run's last.pt or an .onnx file")
    if device not in ("auto", "cpu") and not device.startswith("cuda"):
        raise ValueError(f"unknown device '{device}': choose auto, cpu or cuda")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Parse numbers that commas separate.

    Args:
        text: The option's value.
        option: Name of the option, for messages.

    Raises:
        ValueError: A number is missing or not finite.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)):
        raise ValueError(f"{option} {text}: give numbers with commas between them")
    return found


def colours(text: str, option: str, *, zero: bool = True) -> tuple[float, ...]:
    """Parse one number for each of three colour channels; a single number applies to all three.

    Args:
        text: The option's value.
        option: Name of the option, for messages.
        zero: Whether 0 and negative numbers are allowed.

    Raises:
        ValueError: There are not one or three numbers, or one is not allowed.
    """
    found = numbers(text, option)
    found = found * 3 if len(found) == 1 else found
    if len(found) != 3:
        raise ValueError(f"{option} {text}: give three numbers with commas, one for each colour")
    if not zero and min(found) <= 0:
        raise ValueError(f"{option} {text}: pictures are divided by it, so give numbers above 0")
    return found


def margin_of(text: str) -> float | None:
    """Parse a crop margin; `auto` gives None.

    Raises:
        ValueError: The text is neither `auto` nor a number from 0.5 to 5.
    """
    if text == "auto":
        return None
    try:
        margin = float(text)
    except ValueError:
        margin = math.nan
    if not 0.5 <= margin <= 5:
        raise ValueError(f"--margin {text}: give auto, or one number from 0.5 to 5")
    return margin

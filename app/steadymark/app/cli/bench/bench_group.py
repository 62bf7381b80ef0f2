"""The command group `steadymark bench`."""

from __future__ import annotations

from typing import ClassVar

import typer

from steadymark.app.cli.command_group import CommandGroup

_CLIPS = "steadymark.app.cli.bench.clip_commands"
_SCENES = "steadymark.app.cli.bench.scene_commands"
_FACE3D = "steadymark.app.cli.bench.face3d_commands"


class _BenchGroup(CommandGroup):
    """The commands of `steadymark bench`, in the order of its help."""

    places: ClassVar = {
        "speed": f"{_CLIPS}:speed",
        "clips": f"{_CLIPS}:clips",
        "light": f"{_CLIPS}:light",
        "soak": f"{_CLIPS}:soak",
        "live": f"{_CLIPS}:live",
        "compare": "steadymark.app.cli.bench.compare_command:compare",
        "stability": f"{_SCENES}:stability",
        "ablation": f"{_SCENES}:ablation",
        "identity": f"{_SCENES}:identity",
        "detector": f"{_SCENES}:detector",
        "scores": f"{_SCENES}:scores",
        "pose": f"{_FACE3D}:pose",
        "expressions": f"{_FACE3D}:expressions",
        "heads": f"{_CLIPS}:heads",
        "units": f"{_FACE3D}:units",
        "gaze": f"{_FACE3D}:gaze",
    }


bench = typer.Typer(
    help="Benchmarks that run on this computer.", no_args_is_help=True, cls=_BenchGroup
)

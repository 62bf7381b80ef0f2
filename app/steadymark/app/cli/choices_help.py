"""Help texts that list the entries of a registry."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from steadymark.models.errors import UsageError

if TYPE_CHECKING:
    from steadymark.models.choice_registry import Registry

FORMATS, SENDING = "{formats}", "{targets}"  # places in help texts that the entries fill
SEND_HELP = (
    f"Also send each frame's landmarks to another program. {SENDING} For another machine, add its "
    "address: osf://192.168.1.5:11573. May be repeated."
)
DETECTOR_HELP = (
    "Face detector: a name from 'steadymark models', yunet:FILE.onnx (OpenCV's YuNet) or "
    "mediapipe:FILE.tflite."
)
TableFormatOption = Annotated[
    str, typer.Option("--format", "--csv", help=f"Format of the table. {FORMATS}")
]


class ChoicesCommand(TyperCommand):
    """A command whose help lists the entries of registries, which are loaded for the help only."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from steadymark.engine.output.table_formats import TABLE_FORMATS
        from steadymark.engine.streaming.targets import TARGETS

        for option in self.params:
            if isinstance(option, TyperOption) and option.help:
                for place, registry in ((FORMATS, TABLE_FORMATS), (SENDING, TARGETS)):
                    if place in option.help:
                        option.help = option.help.replace(place, choices_help(registry))
        super().format_help(ctx, formatter)


def choices_help(registry: Registry[Any]) -> str:
    """Return the name of each entry and what it is.

    Plug-ins that cannot be loaded are left out; `cli.main` reports them.
    """
    with contextlib.suppress(UsageError):
        registry.load()
    return " ".join(f"{entry.name}: {entry.help}" for entry in registry.loaded())

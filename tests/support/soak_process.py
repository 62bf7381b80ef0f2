"""A short soak of fakes, in a process: `python tests/support/soak_process.py FILM FOLDER JSON`."""

import sys
from pathlib import Path

from rich.console import Console

from steadymark.app.cli.reports.soak_report import report_soak
from steadymark.engine.tracking.settings import TrackSettings
from support.videos.square_video import square_models

if __name__ == "__main__":
    film, folder, figures = map(Path, sys.argv[1:])
    out = Console(width=200)
    sys.exit(
        report_soak(
            film,
            TrackSettings(),
            minutes=0.03,
            fps=100,
            folder=folder,
            json_file=figures,
            out=out,
            err=out,
            models=square_models(),
            kept=20_000,
        )
    )

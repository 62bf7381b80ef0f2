"""A short soak test with fakes: `python tests/support/soak_process.py VIDEO FOLDER JSON`."""

import sys
from pathlib import Path

from rich.console import Console

from steadymark.app.cli.reports.soak_report import report_soak
from steadymark.engine.tracking.settings import TrackSettings
from support.videos.square_video import square_models

if __name__ == "__main__":
    video, folder, json_path = map(Path, sys.argv[1:])
    out = Console(width=200)
    sys.exit(
        report_soak(
            video,
            TrackSettings(),
            minutes=0.03,
            fps=100,
            folder=folder,
            json_file=json_path,
            out=out,
            err=out,
            models=square_models(),
            kept=20_000,
        )
    )

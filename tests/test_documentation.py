"""Commands, snippets and messages in the documentation are those of the program.

Each command is parsed. Blocks are also run, on the first frames of the demo clip, unless the table
below gives a reason.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import pytest
import typer
from typer.testing import CliRunner

import steadymark as sm
from steadymark.app.cli.main import app as steadymark_app
from steadymark.engine.attributes.looked_at_points import read_looked_at
from steadymark.engine.expressions.expression_files import expressions_of
from steadymark.engine.gaze.gaze_calibration import FEWEST
from steadymark.engine.review.project_file import parse_project
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FRAMES = 8

NOT_RUN = {
    "steadymark track anna-": "needs a video of a person who looks at known points",
    "steadymark gaze-calibrate results/anna-": "needs a table of such a video",
    "steadymark open": "opens the window, which tests/app/gui tests",
    "steadymark live": "opens the window with a camera",
    "steadymark cameras": "asks for the cameras of this computer (tests/app/cli)",
    "steadymark track camera:0": "needs a camera",
    "steadymark bench": "takes minutes (tests/app/cli/bench)",
    "steadymark doctor": "checks this computer (tests/app/cli/doctor)",
    "steadymark evaluate heatmap1d-lite": "tracks the whole demo clip (tests/app/cli)",
    "steadymark evaluate --csv a.csv": "needs a face at rest for a second (tests/app/cli)",
    "steadymark evaluate --csv out/demo.csv": "needs a table of OpenFace (tests/engine/output)",
    "steadymark track assets/clips/demo.mp4": ".ci/run runs this command as written",
    "steadymark track talk.mp4 --out results --stabilizer median": "tests/app/gui/panels tests it",
    "steadymark track video.mp4": "needs a model that was trained before",
    "steadymark track talk.mp4 --out out --model": "needs a model that was trained before",
    "steadymark-train": "trains with data that are not in the repository (tests/models/training)",
    "python -m tools": "measures all models (tests/app/tools/test_update_scores.py)",
}
OTHER_PROGRAMS = {
    "pip": "installs packages",
    "python3": "makes an environment",
    "py": "is the Python of Windows",
    ".venv\\Scripts\\Activate.ps1": "is PowerShell's",
    ".": "activates an environment",
    "pytest": "runs the tests",
    "cd": "changes the folder",
    "docker": "needs a container engine (tests/release)",
}
PLUG_IN_OPTIONS = {"--window"}  # of the plug-in that the block before it names


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command; assignments before a command are left out."""
        if self.language not in ("", "sh", "powershell"):
            return []
        found = []
        for line in re.sub(r"\\\n\s*", " ", self.text).splitlines():
            for part in re.split(r"&&|; ", line):
                words = shlex.split(re.split(r"\s{3,}", part.strip())[0], posix="\\" not in part)
                while words and (words[0] == "export" or re.match(r"[A-Z_]+=", words[0])):
                    del words[0]
                found += [words] if words else []
        return found


def blocks() -> list[Block]:
    """Return the different blocks of all pages."""
    found: dict[tuple[str, str], Block] = {}
    for path in DOCS:
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            content = re.sub(f"^{match[1]}", "", match[3], flags=re.MULTILINE)
            name = path.relative_to(ROOT).as_posix()
            found.setdefault((match[2], content), Block(name, match[2], content))
    return list(found.values())


BLOCKS = blocks()


def inline_commands() -> Iterator[tuple[str, list[str]]]:
    """Yield the page and the words of each command within a text."""
    for path in DOCS:
        for text in re.findall(r"`(steadymark(?:-train)? [^`]+)`", path.read_text("utf-8")):
            yield path.name, shlex.split(text)


@cache
def program(name: str) -> Any:
    """Return the command line of `steadymark`, `steadymark-train` or a module of the tools."""
    if name == "steadymark":
        return typer.main.get_command(steadymark_app)
    if name == "steadymark-train":
        return typer.main.get_command(import_module("steadymark.models.training.cli").app)
    tool = typer.Typer(add_completion=False)
    tool.command()(import_module(name).main)
    return typer.main.get_command(tool)


def parse(words: list[str]) -> None:
    """Parse a command, without running it and without converting placeholders such as N."""
    words = words[2:] if words[0] == "python" else words
    command, left = program(words[0]), words[1:]
    context = command.context_class(command, info_name=words[0])
    while hasattr(command, "commands") and left and left[0] in command.commands:
        command = command.commands[left.pop(0)]
        context = command.context_class(command, info_name=left[:1], parent=context)
    if hasattr(command, "commands"):
        assert not left or left[0] == "--help" or left[0].isupper(), f"no command {left[0]}"
        return
    known = [word for word in left if word not in PLUG_IN_OPTIONS]
    command.make_parser(context).parse_args([word.strip("[]") for word in known])


def reason_not_to_run(words: list[str]) -> str:
    """Return why a command is only parsed; an empty text if it is run."""
    if words == ["steadymark"] or any(re.search("[A-Z]{2}|…", word) for word in words):
        return "is a template"
    text = " ".join(words)
    return next((why for start, why in NOT_RUN.items() if text.startswith(start)), "")


def is_run(block: Block) -> bool:
    """Return whether a block is Python, or has a command of ours that is run."""
    ours = (words for words in block.commands if words[0] == "steadymark")
    runnable = block.language != "powershell" and any(not reason_not_to_run(w) for w in ours)
    return runnable or block.language == "python"


def expanded(words: list[str], folder: Path) -> Iterator[str]:
    """Yield the words with the files that match patterns, as a shell does."""
    for word in words:
        files = sorted(folder.glob(word)) if "*" in word else []
        yield from (str(file.relative_to(folder)) for file in files) if files else (word,)


@pytest.fixture(scope="module")
def first_frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of the demo clip, with its sound left out."""
    path = tmp_path_factory.mktemp("clip") / "talk.mp4"
    demo = str(assets_root() / "clips" / "demo.mp4")
    with av.open(demo) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in islice(source.demux(source.streams.video[0]), FRAMES):
            packet.stream = stream
            copy.mux(packet)
    return path


@pytest.fixture(scope="module")
def table(first_frames: Path) -> Path:
    """The table of these frames."""
    path = first_frames.with_suffix(".csv")
    sm.track_video(first_frames).to_csv(path)
    return path


@pytest.fixture
def folder(
    first_frames: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A working folder with the files that the pages name."""
    monkeypatch.chdir(tmp_path)
    for name in ("talk.mp4", "recordings/talk.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(first_frames.read_bytes())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "demo.csv").write_bytes(table.read_bytes())
    for name in ("assets", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    truth = (assets_root() / "clips" / "demo_truth.csv").read_text("utf-8").splitlines()
    (tmp_path / "talk_points.csv").write_text("\n".join(truth[: FRAMES + 1]) + "\n", "utf-8")
    cv2.imwrite(str(tmp_path / "photo.jpg"), next(sm.read_frames(first_frames)).image)
    return tmp_path


def test_every_command_of_the_pages_can_be_parsed() -> None:
    faults = []
    commands = [(block.page, words) for block in BLOCKS for words in block.commands]
    for page, words in [*commands, *inline_commands()]:
        if words[0] in ("steadymark", "steadymark-train") or words[:2] == ["python", "-m"]:
            try:
                parse(words)
            except Exception as error:  # noqa: BLE001 - all faults are listed below
                faults.append(f"{page}: {' '.join(words)}: {error!r}")
    assert len(commands) > 60
    assert faults == []


def test_every_command_of_another_program_is_known() -> None:
    ours = {"steadymark", "steadymark-train", "python"}
    programs = {words[0] for block in BLOCKS for words in block.commands}
    assert programs - ours == OTHER_PROGRAMS.keys()


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if is_run(block)}))
def test_the_commands_and_snippets_of_a_page_run(page: str, folder: Path) -> None:
    for block in (block for block in BLOCKS if block.page == page and is_run(block)):
        if block.language == "python":
            exec(compile(block.text, f"{page}: {block.text[:40]}", "exec"), {})
        for words in block.commands:
            if words[0] == "steadymark" and not reason_not_to_run(words):
                result = CliRunner().invoke(steadymark_app, list(expanded(words[1:], folder)))
                assert result.exit_code == 0, (words, result.output)


def test_reasons_not_to_run_a_command_are_all_needed() -> None:
    lines = {" ".join(words) for block in BLOCKS for words in block.commands}
    unused = [s for s in NOT_RUN if not any(line.startswith(s) for line in lines)]
    assert unused == []


def test_the_columns_in_snippets_of_other_languages_exist(table: Path) -> None:
    lines = table.read_text("utf-8").splitlines()
    columns = set(next(line for line in lines if not line.startswith("#")).split(","))
    others = [block for block in BLOCKS if block.language in ("r", "matlab")]
    assert {block.language for block in others} == {"r", "matlab"}
    for block in others:
        named = set(re.findall(r"(?:face|table)[$.](\w+)|(\w+) [=!]= ", block.text))
        names = {first or second for first, second in named}
        assert len(names) > 8
        assert names <= columns


def test_every_language_of_a_block_is_tested() -> None:
    languages = {block.language for block in BLOCKS}
    assert languages == {"", "sh", "powershell", "python", "r", "matlab", "json", "csv"}


JSON_BLOCKS = [block for block in BLOCKS if block.language == "json"]
PRESETS = [block for block in JSON_BLOCKS if "steadymark_expressions" in block.text]


@pytest.mark.parametrize("block", [block for block in JSON_BLOCKS if block not in PRESETS])
def test_an_example_of_a_project_can_be_read(block: Block) -> None:
    project = parse_project(block.text, block.page)
    assert project.lanes
    assert project.annotations
    assert project.corrections


@pytest.mark.parametrize("block", PRESETS)
def test_an_example_of_a_preset_of_expressions_can_be_read(block: Block) -> None:
    settings = expressions_of(json.loads(block.text)).settings
    assert settings.mirrored
    assert settings.of("jawOpen").gain == 1.5


def test_the_messages_of_the_troubleshooting_page_are_those_of_the_program() -> None:
    sources = [p for part in ("app", "engine", "models") for p in (ROOT / part).rglob("*.py")]
    joined = "\n".join(re.sub(r'"\s*\n\s*f?"', "", p.read_text("utf-8")) for p in sources)
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    messages = re.findall(r"^(?:\| )?`([^`]{20,})`(?: \| | is )", page, re.MULTILINE)
    assert len(messages) > 35
    for message in messages:
        parts = [re.escape(part) for part in re.split(r" ?… ?", message) if part]
        pattern = r"[^\n]{0,60}".join(parts)
        assert re.search(pattern, joined), message


def test_the_points_that_a_person_looked_at_are_read_as_the_page_shows_them(tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if block.language == "csv"]
    (tmp_path / "points.csv").write_text(block.text, "utf-8")
    points = read_looked_at(tmp_path / "points.csv")
    assert len(points) >= FEWEST
    assert all(point.place_mm is not None for point in points)

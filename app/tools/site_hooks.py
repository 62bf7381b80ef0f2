"""Hooks of MkDocs (`mkdocs.yml`): the pages of the site that are made when it is built.

MkDocs runs in an environment of its own, so only modules without other packages can be imported.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_MODEL_CARDS = _ROOT / "app/steadymark/app/gui/help/model_cards.py"
_ROOTS = "engine", "models"


def on_startup(**_: Any) -> None:
    """Join the source roots in one folder, where mkdocstrings looks for docstrings.

    The folder must be there before mkdocstrings reads its configuration. It takes doctests for code
    only under the heading `Examples`.
    """
    joined = _ROOT / "build" / "site_sources" / "steadymark"
    shutil.rmtree(joined, ignore_errors=True)
    for root in _ROOTS:
        for path in (_ROOT / root / "steadymark").rglob("*.py"):
            copied = joined / path.relative_to(_ROOT / root / "steadymark")
            copied.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8")
            copied.write_text(text.replace("    Example:\n", "    Examples:\n"), encoding="utf-8")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the model cards."""
    # By its path, so that `sys.path` stays as it is: mkdocstrings would look there first.
    spec = importlib.util.spec_from_file_location("model_cards", _MODEL_CARDS)
    assert spec is not None
    assert spec.loader is not None
    model_cards = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model_cards)
    filled: str = model_cards.with_model_cards(markdown, _ROOT / "assets" / "weights")
    return filled

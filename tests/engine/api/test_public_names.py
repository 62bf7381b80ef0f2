"""What `import steadymark` loads and provides, as one package in several folders."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import steadymark as sm

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image

ROOT = Path(__file__).resolve().parents[3]
ROOTS = [ROOT / part for part in ("app", "engine", "models")]
MODULES = sorted((ROOT / "engine/steadymark/engine/api").glob("*.py"))


def run_python(code: str, *paths: Path) -> str:
    """Run code in a new interpreter with these folders on its path; return what it prints."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths or ROOTS))},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_importing_steadymark_is_fast_and_loads_no_large_library() -> None:
    code = (
        "import sys, time; t = time.process_time(); import steadymark as sm; "
        "t = time.process_time() - t; import json; "
        "print(json.dumps([t, sorted({'numpy', 'cv2', 'torch', 'PySide6', 'pandas'} "
        "& set(sys.modules))]))"
    )
    seconds, loaded = min(json.loads(run_python(code)) for _ in range(3))
    assert loaded == []
    assert seconds < 0.3


def test_no_public_name_needs_torch_qt_or_training() -> None:
    code = (
        "import sys, steadymark as sm; [getattr(sm, name) for name in sm.__all__]; "
        "print({'torch', 'onnx', 'PySide6', 'pandas', 'steadymark.app', "
        "'steadymark.models.training'} & set(sys.modules))"
    )
    assert run_python(code).strip() == "set()"


def test_all_public_names_exist_in_dir_and_star_imports() -> None:
    for name in sm.__all__:
        assert getattr(sm, name) is not None
    assert set(sm.__all__) <= set(dir(sm))
    assert len(sm.__all__) == len(set(sm.__all__))
    namespace: dict[str, object] = {}
    exec("from steadymark import *", namespace)
    assert set(sm.__all__) <= namespace.keys()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sm.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_all_public_names() -> None:
    text = (ROOT / "engine/steadymark/__init__.py").read_text(encoding="utf-8")
    imports = text[text.index("if TYPE_CHECKING") : text.index("__all__ = ")]
    for name in sm.__all__:
        assert re.search(rf" {name}[,:\n]", imports), name
    assert (ROOT / "engine/steadymark/py.typed").exists()


def test_the_folders_of_the_package_are_in_path_order(tmp_path: Path) -> None:
    """Another installation later in the path must not replace modules of an earlier one."""
    other = tmp_path / "other" / "steadymark"
    (other / "plugin").mkdir(parents=True)
    (other / "plugin" / "__init__.py").write_text("here = True\n")
    (other / "models").mkdir()
    (other / "models" / "__init__.py").write_text("raise ImportError('the wrong one')\n")
    missing = tmp_path / "gone"
    code = (
        "import steadymark.plugin, steadymark.models.runtime.zoo as zoo, "
        "steadymark.engine.tracking.tracker, "
        "steadymark.app, json, steadymark; print(json.dumps([zoo.__file__, steadymark.__path__]))"
    )
    file, path = json.loads(run_python(code, missing, *ROOTS, tmp_path / "other"))
    assert Path(file).is_relative_to(ROOT)
    assert path[:4] == [*(str(root / "steadymark") for root in ROOTS), str(other)]


def test_modules_of_an_earlier_folder_have_priority(tmp_path: Path) -> None:
    """The case of a checkout that lacks a file which an installation has."""
    first = tmp_path / "steadymark" / "engine"
    first.mkdir(parents=True)
    (first / "__init__.py").write_text("mine = True\n")
    code = "import steadymark.engine as e, steadymark.models.runtime.zoo; print(e.mine)"
    assert run_python(code, tmp_path, *ROOTS).strip() == "True"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_examples_in_docstrings_run(
    module: Path,
    video: Path,
    image: Image,
    landmarker: sm.FaceLandmarker,
    tmp_path: Path,
) -> None:
    names = {"video": video, "image": image, "folder": tmp_path}
    names["face"] = landmarker.detect(image)[0]
    loaded = importlib.import_module(f"steadymark.engine.api.{module.stem}")
    result = doctest.testmod(loaded, extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_every_public_function_documents_what_it_raises() -> None:
    for name in sm.__all__:
        value = getattr(sm, name)
        if callable(value) and value.__module__.startswith("steadymark.engine.api"):
            text = value.__doc__ or ""
            assert text.split("\n")[0].endswith("."), name
            if not isinstance(value, type) and name != "list_models":
                assert "Raises:" in text, name
    for name in sm.metrics.__all__:
        text = getattr(sm.metrics, name).__doc__ or ""
        assert "Raises:" in text, name

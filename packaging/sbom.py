"""Write the list of what a bundle contains (SBOM) as CycloneDX JSON.

    BUNDLE_PYTHON packaging/sbom.py FILE.cdx.json

It runs in the environment that was bundled. `cyclonedx-py` lists the Python packages; the shipped
networks are added with their SHA-256 and licence, and the libraries that PyAV's wheel contains.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from licence_files import bundled_distributions, plain_name
from project_facts import ROOT, version

_GPL = ("libx264", "libx265")


def main() -> None:
    """Write the list."""
    target = Path(sys.argv[1])
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--of", "JSON"]
    text = subprocess.check_output([*command, sys.executable], text=True)
    document = completed(json.loads(text), {plain_name(d.name) for d in bundled_distributions()})
    document["components"] += codec_libraries(ROOT / "dist" / "steadymark" / "_internal")
    target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def completed(document: dict[str, Any], bundled: set[str]) -> dict[str, Any]:
    """Keep the packages that are bundled, and add the program and its networks.

    Args:
        document: What `cyclonedx-py` lists of the whole environment.
        bundled: Plain names of the packages that are bundled.

    Returns:
        The document of the bundle.
    """
    kept = [each for each in document.get("components", ()) if plain_name(each["name"]) in bundled]
    kept = [each for each in kept if each["name"] != "steadymark"]
    known = {each["bom-ref"] for each in kept}
    dependencies = [
        {**each, "dependsOn": [ref for ref in each.get("dependsOn", ()) if ref in known]}
        for each in document.get("dependencies", ())
        if each["ref"] in known
    ]
    program = {
        "type": "application",
        "bom-ref": "steadymark",
        "name": "steadymark",
        "version": version(),
        "purl": f"pkg:pypi/steadymark@{version()}",
        "licenses": [{"license": {"id": "MIT"}}],
    }
    dependencies.append({"ref": "steadymark", "dependsOn": sorted(known)})
    return {
        **document,
        "metadata": {**document.get("metadata", {}), "component": program},
        "components": [*kept, *networks(ROOT / "assets" / "weights")],
        "dependencies": dependencies,
    }


def networks(folder: Path) -> list[dict[str, Any]]:
    """Return a component for each model card of a folder.

    Args:
        folder: The folder of the cards.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        found.append(
            {
                "type": "machine-learning-model",
                "bom-ref": f"network-{card['name']}",
                "name": card["name"],
                "version": card["sha256"][:12],
                "hashes": [{"alg": "SHA-256", "content": card["sha256"]}],
                "licenses": [{"license": {"name": card["licence"]}}],
            }
        )
    return found


def codec_libraries(inner: Path) -> list[dict[str, Any]]:
    """Return a component for each library that PyAV's wheel contains; those under the GPL say so.

    Args:
        inner: The folder `_internal` of the program.
    """
    found = []
    for path in sorted([*inner.glob("av.libs/*"), *inner.glob("av/.dylibs/*")]):
        name = re.split(r"[-.]", path.name)[0]
        component: dict[str, Any] = {
            "type": "library",
            "bom-ref": f"av/{path.name}",
            "name": name,
            "hashes": [{"alg": "SHA-256", "content": _sha256(path)}],
        }
        if name.startswith(_GPL):
            component["licenses"] = [{"license": {"id": "GPL-2.0-or-later"}}]
        found.append(component)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()

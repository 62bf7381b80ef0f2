"""How to cite the program: CITATION.cff as a sentence and as BibTeX."""

from __future__ import annotations

import re

from steadymark.engine.core.version import version
from steadymark.models.face.schema import assets_root

CITATION_FILE = "CITATION.cff"


def citation_file() -> str:
    """Return the text of CITATION.cff, of the installed package or of the checkout."""
    root = assets_root().parent
    packaged = root / "docs" / CITATION_FILE
    path = packaged if packaged.is_file() else root / CITATION_FILE
    return path.read_text(encoding="utf-8")


def citation_fields(text: str) -> dict[str, str]:
    """Return title, author, year and license of a CITATION.cff."""
    fields = {}
    for field, key in (("title", "title"), ("author", "- name"), ("year", "year")):
        found = re.search(rf'^ *{key}: *"?([^"\n]+)"?$', text, re.MULTILINE)
        fields[field] = found[1] if found else ""
    return fields


def as_sentence(fields: dict[str, str]) -> str:
    """Return the citation in the style of a list of references."""
    return (
        f"{fields['author']} ({fields['year']}). {fields['title']} (Version {version()}) "
        "[Computer software]."
    )


def as_bibtex(fields: dict[str, str]) -> str:
    """Return the citation as a BibTeX entry."""
    return (
        "@software{steadymark,\n"
        f"  author  = {{{{{fields['author']}}}}},\n"
        f"  title   = {{{{{fields['title']}}}}},\n"
        f"  version = {{{version()}}},\n"
        f"  year    = {{{fields['year']}}}\n"
        "}\n"
    )


def citation_sentence() -> str:
    """Return the citation of this version in the style of a list of references."""
    return as_sentence(citation_fields(citation_file()))

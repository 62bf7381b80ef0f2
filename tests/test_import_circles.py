"""No modules import each other in a circle, imports for type checking included."""

from __future__ import annotations

import grimp
import pytest

ROOTS = ("steadymark.app", "steadymark.engine", "steadymark.models")


def import_circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others.

    Modules that import nothing, or that nothing imports, are removed until none is left; what
    remains lies on a circle or between two of them.
    """
    remaining = {
        module: graph.find_modules_directly_imported_by(module) for module in graph.modules
    }
    while True:
        imported = set().union(*remaining.values())
        ends = {
            module for module, needs in remaining.items() if not needs or module not in imported
        }
        if not ends:
            break
        remaining = {
            module: needs - ends for module, needs in remaining.items() if module not in ends
        }
    imported_by_module = {module: _imported_modules(module, remaining) for module in remaining}
    groups = {
        tuple(
            sorted(
                other for other in imported_by_module[module] if module in imported_by_module[other]
            )
        )
        for module in remaining
        if module in imported_by_module[module]
    }
    return [list(group) for group in sorted(groups)]


def _imported_modules(module: str, imports: dict[str, set[str]]) -> set[str]:
    """All modules that this one imports, directly or through others."""
    found: set[str] = set()
    to_visit = [module]
    while to_visit:
        new = imports[to_visit.pop()] - found
        found |= new
        to_visit += new
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=False, cache_dir=None)
    assert import_circles(graph) == []


@pytest.mark.parametrize("length", [2, 3])
def test_a_circle_is_found_among_other_imports(length: int) -> None:
    graph = grimp.ImportGraph()
    ring = [f"ring{i}" for i in range(length)]
    for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        graph.add_import(importer=one, imported=other)
    graph.add_import(importer="before", imported=ring[0])
    graph.add_import(importer=ring[-1], imported="after")
    assert import_circles(graph) == [ring]

"""Loading of a plug-in for one test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from steadymark.models import choice_registry
from steadymark.models.choice_registry import PLUGINS, Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


@contextmanager
def plugged(
    monkeypatch: pytest.MonkeyPatch, plugin: Path, registry: Registry[Any]
) -> Iterator[None]:
    """Load a plug-in through the environment variable; remove its entries afterwards."""
    before = registry.names()
    monkeypatch.setenv(PLUGINS, str(plugin))
    registry.load()
    try:
        yield
    finally:
        for name in set(registry.names()) - set(before):
            registry.remove(name)
        choice_registry._loaded_plugins.pop(str(plugin))

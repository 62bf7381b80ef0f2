"""The variants that can be compared: tracked points, filters over them, networks, and tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.stabilizers.stabilizer_registry import (
    STABILIZER_REGISTRY,
    ChosenStabilizer,
    point_filters,
)
from steadymark.engine.tracking.settings import landmark_card
from steadymark.models.runtime.zoo import FLOW, list_models, without_followers

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.tracking.settings import TrackSettings

_TABLE = "table"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to get landmarks from a recording.

    Attributes:
        kind: `raw` and `stabilized` are the tracked points. A filter's name runs that filter over
            the raw points. `none`, `flow`, `refine` and `convlstm` track the recording a second
            time. `table` is the landmarks of a table.
        model: The network of a second tracking, otherwise empty.
        own: The parameters of a filter. None means the parameters of the settings.
        table: The path of a table; empty for another kind, and for a table that is to be chosen.
    """

    kind: str
    model: str = ""
    own: ChosenStabilizer | None = None
    table: str = ""

    @property
    def tracks(self) -> bool:
        """Whether this variant needs a tracking of its own."""
        return self.model != ""

    @property
    def is_table(self) -> bool:
        """Whether the landmarks come from a table."""
        return self.kind == _TABLE

    @property
    def has_results(self) -> bool:
        """Whether this variant has results of its own, from a second tracking or a table."""
        return self.tracks or self.is_table

    def filter_of(self, settings: TrackSettings) -> ChosenStabilizer:
        """Return the filter that runs over the raw points. Only for variants that are filters."""
        return self.own or settings.filter_of(self.kind)


def table_variant(path: Path) -> Variant:
    """Return the variant that shows the landmarks of a table."""
    return Variant(_TABLE, table=str(path))


ANY_TABLE = Variant(_TABLE)  # the user chooses the file when this one is chosen
RAW, STABILIZED = Variant("raw"), Variant("stabilized")
VariantPair = tuple[Variant, Variant]
RAW_AND_STABILIZED: VariantPair = (RAW, STABILIZED)


@lru_cache(maxsize=8)  # the function reads every model card
def variants_for(settings: TrackSettings) -> tuple[Variant, ...]:
    """Return all variants that can be compared with the results of these settings."""
    points = (RAW, STABILIZED, *(Variant(entry.name) for entry in point_filters()))
    try:
        used = landmark_card(settings)
    except SteadymarkError:
        return points
    base = used.over or used.name
    listed = without_followers(list_models())
    cards = [c for c in listed if c.kind == "landmarks" and c.schema == used.schema]
    cells = [Variant(FLOW, settings.model)]
    known = {entry.name for entry in STABILIZER_REGISTRY.all() if entry.cell}
    cells += [Variant(str(c.cell), base) for c in cards if c.over == base and c.cell in known]
    others = [
        Variant("none", card.name) for card in cards if card.cell is None and card.name != base
    ]
    return (*points, *(variant for variant in cells if variant.kind != used.cell), *others)


def settings_of_variant(variant: Variant, settings: TrackSettings) -> TrackSettings:
    """Return the settings with the network and stabilizer of a variant that tracks."""
    return replace(settings, model=variant.model, stabilizer=variant.kind)

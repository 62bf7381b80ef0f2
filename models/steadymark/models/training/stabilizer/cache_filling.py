"""Generates the cached sequences that a stabilizer learns from, within a time budget."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from steadymark.models.training.data.image_sequences import SequenceConfig, make_sequence
from steadymark.models.training.stabilizer.cache_budget import BANK_SHARE, CacheBudget
from steadymark.models.training.stabilizer.heatmap_cache import (
    HeatmapCache,
    HeatmapCacheWriter,
    make_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.data.face_images import FaceImages
    from steadymark.models.training.stabilizer.frozen_backbone import Backbone

LEAST = (32, 8)  # sequences to learn from, and to validate by
_TIMED = 3  # sequences by which the rest is reckoned
_HELD_SHARE = 0.1


class CacheFiller:
    """Fills the two caches of a run: sequences of training faces and of held-back faces.

    Args:
        folder: Folder of the caches.
        faces: Training and held-back faces.
        backbone: The backbone whose heatmaps are cached.
        counts: Greatest numbers of training and validation sequences; there are fewer if time is
            short.
        seed: Seed of the sequences.
        config: Parameters of the sequences.
        allowance: Time budget.

    Raises:
        DataError: A number is below 1, or the sequences have fewer than 2 frames.
    """

    def __init__(
        self,
        folder: Path,
        faces: tuple[FaceImages, FaceImages],
        backbone: Backbone,
        *,
        counts: tuple[int, int],
        seed: int,
        config: SequenceConfig,
        allowance: CacheBudget,
    ) -> None:
        if min(counts) < 1 or config.frames < 2:
            raise DataError(
                f"{counts[0]} and {counts[1]} sequences of {config.frames} frames teach nothing: "
                "give one or more of each, and frames from 2"
            )
        self.folder, self.faces, self.backbone = (
            folder,
            dict(zip(_NAMES, faces, strict=True)),
            backbone,
        )
        self.counts, self.seed, self.config, self.allowance = counts, seed, config, allowance
        self.schema = load_schema(backbone.info.schema)
        self.makes = {n: make_of(f, backbone, seed, config) for n, f in self.faces.items()}
        self.writers = {name: HeatmapCacheWriter(folder, name, self.makes[name]) for name in _NAMES}

    def fill(self) -> tuple[HeatmapCache, HeatmapCache]:
        """Generate the missing sequences, and open both caches.

        Raises:
            DataError: The time does not allow for the least number of sequences.
        """
        wanted = self._decided()
        if wanted is None:
            wanted = self._planned()
            made = self._make("held", wanted[1], math.inf)
            learnt = self._make("train", wanted[0], self.allowance.left_s)
            wanted = min(learnt, wanted[0]), min(made, wanted[1])
            self._decide(wanted)
        return tuple(HeatmapCache(self.folder, n, c) for n, c in zip(_NAMES, wanted, strict=True))  # type: ignore[return-value]

    def _decided(self) -> tuple[int, int] | None:
        """Return the numbers of sequences if complete caches with the same parameters exist."""
        try:
            kept = json.loads((self.folder / _PLAN).read_text(encoding="utf-8"))
            counts = tuple(int(count) for count in kept["counts"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        complete = all(
            self.writers[name].finished >= count for name, count in zip(_NAMES, counts, strict=True)
        )
        same = kept.get("makes") == self.makes and kept.get("most") == list(self.counts)
        return (counts[0], counts[1]) if same and complete else None

    def _decide(self, counts: tuple[int, int]) -> None:
        plan = {"makes": self.makes, "most": self.counts, "counts": counts}
        (self.folder / _PLAN).write_text(json.dumps(plan), encoding="utf-8")

    def _planned(self) -> tuple[int, int]:
        """Return the numbers of sequences that fit into the time, and tell the user time and size.

        The estimate is based on the time of a few sequences.
        """
        most, there = self.counts, sum(w.finished for w in self.writers.values())
        began_s, first = self.allowance.clock(), self.writers["train"].finished
        timed = min(_TIMED, max(0, most[0] - first))
        self._make("train", first + timed, math.inf, told=False)
        each_s = (self.allowance.clock() - began_s) / max(1, timed)
        fits = self.allowance.left_s / each_s + there + timed if each_s > 0 else math.inf
        counts = most
        if timed and fits < sum(most):
            held = min(most[1], max(LEAST[1], int(_HELD_SHARE * fits)))
            counts = (min(most[0], max(0, int(fits) - held)), held)
        least = tuple(min(a, b) for a, b in zip(LEAST, most, strict=True))
        if counts[0] < least[0]:
            self._refuse(each_s, max(0, sum(least) - there - timed))
        self._tell(counts, each_s)
        return counts

    def _refuse(self, each_s: float, missing: int) -> None:
        spent_s = self.allowance.clock() - self.allowance.began_s
        needed = math.ceil(1.1 * (spent_s + missing * each_s) / BANK_SHARE / 60)
        raise DataError(
            f"{self.allowance.minutes:g} minutes are too few: a sequence takes {each_s:.2g} s with "
            f"this backbone, and at least {sum(LEAST)} are needed: give --minutes {needed} or more"
        )

    def _tell(self, counts: tuple[int, int], each_s: float) -> None:
        there = sum(writer.finished for writer in self.writers.values())
        size = sum(counts) * self.writers["train"].bytes_each
        missing = max(0, sum(counts) - there)
        cut = (
            f", since {self.allowance.minutes:g} minutes allow no more"
            if counts != self.counts
            else ""
        )
        self.allowance.tell(
            f"making {counts[0]} sequences to learn from and {counts[1]} to validate by{cut}: "
            f"about {_duration(missing * each_s)} and {_size(size)} in {self.folder}"
            + (f"; {there} are there already" if there else "")
        )

    def _make(self, name: str, count: int, within_s: float, *, told: bool = True) -> int:
        """Append sequences up to `count` or until time is up, and return how many there are."""
        end_s = self.allowance.clock() + within_s
        least = min(LEAST[_NAMES.index(name)], count)
        with self.writers[name] as writer:
            while writer.finished < count:
                if writer.finished >= least and self.allowance.clock() > end_s:
                    break
                made = make_sequence(
                    self.faces[name],
                    self.schema,
                    self.backbone.info.crop,
                    writer.finished,
                    seed=self.seed,
                    config=self.config,
                )
                writer.add(self.backbone(made.crops), made.points, made.moved)
                if told:
                    self.allowance.report(name, writer.finished, count)
        return writer.finished


_NAMES = ("train", "held")
_PLAN = "plan.json"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"

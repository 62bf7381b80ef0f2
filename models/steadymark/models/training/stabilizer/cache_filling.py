"""Generates the cached sequences that a stabilizer learns from, within a time budget."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from steadymark.models.training.data.image_sequences import SequenceConfig, make_sequence
from steadymark.models.training.stabilizer.cache_budget import CACHE_SHARE, CacheBudget
from steadymark.models.training.stabilizer.heatmap_cache import (
    HeatmapCache,
    HeatmapCacheWriter,
    sequence_parameters,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.data.face_images import FaceImages
    from steadymark.models.training.stabilizer.frozen_backbone import Backbone

MIN_SEQUENCES = (32, 8)  # least numbers of training and validation sequences
_TIMED_SEQUENCES = 3  # sequences from whose time that of all is estimated
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
        cache_budget: Time budget.

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
        cache_budget: CacheBudget,
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
        self.counts, self.seed, self.config, self.cache_budget = counts, seed, config, cache_budget
        self.schema = load_schema(backbone.info.schema)
        self.parameters = {
            n: sequence_parameters(f, backbone, seed, config) for n, f in self.faces.items()
        }
        self.writers = {
            name: HeatmapCacheWriter(folder, name, self.parameters[name]) for name in _NAMES
        }

    def fill(self) -> tuple[HeatmapCache, HeatmapCache]:
        """Generate the missing sequences, and open both caches.

        Raises:
            DataError: The time does not allow for the least number of sequences.
        """
        counts = self._counts_of_complete_caches()
        if counts is None:
            counts = self._counts_within_budget()
            held_back_count = self._append_sequences("held", counts[1], math.inf)
            training_count = self._append_sequences("train", counts[0], self.cache_budget.left_s)
            counts = min(training_count, counts[0]), min(held_back_count, counts[1])
            self._save_counts(counts)
        return tuple(HeatmapCache(self.folder, n, c) for n, c in zip(_NAMES, counts, strict=True))  # type: ignore[return-value]

    def _counts_of_complete_caches(self) -> tuple[int, int] | None:
        """Return the numbers of sequences if complete caches with the same parameters exist."""
        try:
            plan = json.loads((self.folder / _PLAN).read_text(encoding="utf-8"))
            counts = tuple(int(count) for count in plan["counts"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_complete = all(
            self.writers[name].finished >= count for name, count in zip(_NAMES, counts, strict=True)
        )
        is_same = plan.get("makes") == self.parameters and plan.get("most") == list(self.counts)
        return (counts[0], counts[1]) if is_same and is_complete else None

    def _save_counts(self, counts: tuple[int, int]) -> None:
        plan = {"makes": self.parameters, "most": self.counts, "counts": counts}
        (self.folder / _PLAN).write_text(json.dumps(plan), encoding="utf-8")

    def _counts_within_budget(self) -> tuple[int, int]:
        """Return the numbers of sequences that fit into the time, and tell the user time and size.

        The estimate is based on the time of a few sequences.
        """
        max_counts, existing = self.counts, sum(w.finished for w in self.writers.values())
        began_s, existing_training = self.cache_budget.clock(), self.writers["train"].finished
        timed = min(_TIMED_SEQUENCES, max(0, max_counts[0] - existing_training))
        self._append_sequences("train", existing_training + timed, math.inf, with_report=False)
        each_s = (self.cache_budget.clock() - began_s) / max(1, timed)
        possible = self.cache_budget.left_s / each_s + existing + timed if each_s > 0 else math.inf
        counts = max_counts
        if timed and possible < sum(max_counts):
            held_back = min(max_counts[1], max(MIN_SEQUENCES[1], int(_HELD_SHARE * possible)))
            counts = (min(max_counts[0], max(0, int(possible) - held_back)), held_back)
        min_counts = tuple(min(a, b) for a, b in zip(MIN_SEQUENCES, max_counts, strict=True))
        if counts[0] < min_counts[0]:
            self._raise_too_little_time(each_s, max(0, sum(min_counts) - existing - timed))
        self._announce(counts, each_s)
        return counts

    def _raise_too_little_time(self, each_s: float, missing: int) -> None:
        spent_s = self.cache_budget.clock() - self.cache_budget.began_s
        needed = math.ceil(1.1 * (spent_s + missing * each_s) / CACHE_SHARE / 60)
        raise DataError(
            f"{self.cache_budget.minutes:g} minutes are too few: a sequence takes {each_s:.2g} s "
            f"with this backbone, and at least {sum(MIN_SEQUENCES)} are needed: "
            f"give --minutes {needed} or more"
        )

    def _announce(self, counts: tuple[int, int], each_s: float) -> None:
        existing = sum(writer.finished for writer in self.writers.values())
        size = sum(counts) * self.writers["train"].bytes_each
        missing = max(0, sum(counts) - existing)
        reason_for_fewer = (
            f", since {self.cache_budget.minutes:g} minutes allow no more"
            if counts != self.counts
            else ""
        )
        self.cache_budget.tell(
            f"making {counts[0]} sequences to learn from and {counts[1]} to validate "
            f"by{reason_for_fewer}: about {_duration(missing * each_s)} "
            f"and {_size(size)} in {self.folder}"
            + (f"; {existing} are there already" if existing else "")
        )

    def _append_sequences(
        self, name: str, count: int, within_s: float, *, with_report: bool = True
    ) -> int:
        """Append sequences up to `count` or until time is up, and return how many there are."""
        end_s = self.cache_budget.clock() + within_s
        min_count = min(MIN_SEQUENCES[_NAMES.index(name)], count)
        with self.writers[name] as writer:
            while writer.finished < count:
                if writer.finished >= min_count and self.cache_budget.clock() > end_s:
                    break
                sequence = make_sequence(
                    self.faces[name],
                    self.schema,
                    self.backbone.info.crop,
                    writer.finished,
                    seed=self.seed,
                    config=self.config,
                )
                writer.add(self.backbone(sequence.crops), sequence.points, sequence.moved)
                if with_report:
                    self.cache_budget.report(name, writer.finished, count)
        return writer.finished


_NAMES = ("train", "held")
_PLAN = "plan.json"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"

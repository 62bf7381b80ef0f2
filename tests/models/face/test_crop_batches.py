"""Many crops are divided into small batches on a CPU, and none is lost or counted twice."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.models.face.crop_batches import crop_batches


def numbered(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Crops of 2×2 pixels whose values are 1, 2, 3, …."""
    values = np.arange(1, count + 1, dtype=np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, 2, 2, 3)).copy()


@pytest.mark.parametrize("count", range(1, 20))
@pytest.mark.parametrize("fixed", [0, 3, 8])
@pytest.mark.parametrize("on_cpu", [True, False])
def test_every_crop_counts_once_and_in_order(count: int, fixed: int, on_cpu: bool) -> None:
    batches = list(crop_batches(numbered(count), fixed, on_cpu=on_cpu))
    counted = [int(value) for batch, used in batches for value in batch[:used, 0, 0, 0]]
    assert counted == list(range(1, count + 1))


@pytest.mark.parametrize("count", range(2, 20))
def test_batches_on_a_cpu_have_two_to_four_crops(count: int) -> None:
    sizes = [len(batch) for batch, _ in crop_batches(numbered(count), 0, on_cpu=True)]
    assert min(sizes) >= 2
    assert max(sizes) <= 4


def test_a_gpu_gets_all_crops_in_one_batch() -> None:
    assert [len(batch) for batch, _ in crop_batches(numbered(19), 0, on_cpu=False)] == [19]


def test_a_fixed_batch_is_filled_up_with_black_crops() -> None:
    (_, first), (last, used) = crop_batches(numbered(5), 3, on_cpu=True)
    assert (first, used, len(last)) == (3, 2, 3)
    assert not last[2].any()

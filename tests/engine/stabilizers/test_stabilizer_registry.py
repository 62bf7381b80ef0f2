"""Every stabilizer is one entry, from which its filter is made and run."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.protocols import OfflineFilter
from steadymark.engine.core.types import Landmarks
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.filter_runner import (
    make_filter,
    offline_filter,
    online_filter,
    run_filter,
)
from steadymark.engine.stabilizers.guarded_filters import GuardedOfflineFilter, GuardedStabilizer
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.stabilizers.one_euro import OneEuro
from steadymark.engine.stabilizers.stabilizer_registry import (
    STABILIZER_REGISTRY,
    choose,
    point_filters,
)
from steadymark.models.face.schema import load_schema

SHAPE = (load_schema("ibug68").mean_shape * 100).astype(np.float32)


def shaking(frames: int) -> np.ndarray:
    """Raw landmarks of a face at rest, (T, 68, 2), with noise."""
    return SHAPE + np.random.default_rng(0).normal(0, 0.5, (frames, 68, 2)).astype(np.float32)


def test_the_shipped_stabilizers_are_listed_in_a_fixed_order() -> None:
    shipped = ("auto", "flow", "none", "refine", "convlstm", "one-euro", "butterworth")
    assert STABILIZER_REGISTRY.names() == shipped
    assert [entry.name for entry in point_filters()] == ["one-euro", "butterworth"]
    assert [e.name for e in STABILIZER_REGISTRY.all() if e.cell] == ["flow", "refine", "convlstm"]
    assert [e.name for e in STABILIZER_REGISTRY.all() if e.needs_future] == ["butterworth"]


@pytest.mark.parametrize("name", STABILIZER_REGISTRY.names())
def test_the_kinds_of_an_entry_do_not_contradict_each_other(name: str) -> None:
    entry, made = STABILIZER_REGISTRY.find(name), make_filter(choose(name))
    assert entry.label
    assert entry.help.endswith(".")
    assert isinstance(made, OfflineFilter) == entry.needs_future
    assert not (entry.cell and entry.make)
    for parameter in entry.parameters:
        assert parameter.checked(parameter.default, name) == parameter.default
        assert parameter.label
        assert parameter.help.endswith(".")


def test_none_gives_back_the_same_object() -> None:
    stabilizer = online_filter(choose("none"))
    given = Landmarks(SHAPE, np.ones(68, np.float32))
    assert stabilizer.step(given, 0.0, stabilizer.start())[0] is given


def test_a_filter_takes_its_parameters_and_is_guarded() -> None:
    chosen = choose("one-euro", min_cutoff_hz=0.2, beta=7, derivative_cutoff_hz=2)
    assert online_filter(chosen) == GuardedStabilizer(OneEuro(0.2, 7.0, 2.0))
    assert online_filter(choose("one-euro")) == GuardedStabilizer(OneEuro())
    low = choose("butterworth", cutoff_hz=3, order=4)
    assert offline_filter(low) == GuardedOfflineFilter(Butterworth(3.0, 4))
    assert isinstance(online_filter(low), NoStabilizer)
    assert offline_filter(chosen) is None


def test_a_value_or_a_name_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="one-euro's beta must be 0 or more, not -1"):
        choose("one-euro", beta=-1)
    with pytest.raises(UsageError, match="flow has no parameter 'beta'"):
        choose("flow", beta=1)
    with pytest.raises(UsageError, match=r"unknown stabilizer 'magic': choose one of .*one-euro"):
        choose("magic")


def test_a_summary_leaves_out_what_is_rarely_changed() -> None:
    assert choose("one-euro").summary() == ("1 Hz", "1.5")
    assert choose("one-euro", derivative_cutoff_hz=3).summary() == ("1 Hz", "1.5", "3 Hz")
    assert choose("butterworth", cutoff_hz=2.5).summary() == ("2.5 Hz",)
    assert choose("flow").summary() == ()


def test_changed_keeps_the_other_values() -> None:
    chosen = choose("one-euro", beta=3).changed(min_cutoff_hz=0.5)
    assert chosen == choose("one-euro", beta=3, min_cutoff_hz=0.5)


@pytest.mark.parametrize("name", [entry.name for entry in point_filters()])
def test_one_runner_runs_every_filter_and_leaves_missing_frames(name: str) -> None:
    points, times = shaking(60), np.arange(60) / 30
    points[20:25] = np.nan
    out = run_filter(make_filter(choose(name)), points, times)
    assert np.isnan(out[20:25]).all()
    assert np.isfinite(out[[*range(20), *range(25, 60)]]).all()
    assert np.diff(out[40:], axis=0).std() < 0.6 * np.diff(points[40:], axis=0).std()


@pytest.mark.parametrize("name", [entry.name for entry in point_filters()])
def test_a_jump_is_not_smeared_by_any_filter(name: str) -> None:
    points, times = shaking(60), np.arange(60) / 30
    points[30:] += 400
    out = run_filter(make_filter(choose(name)), points, times)
    assert np.abs(out[:29] - points[:29]).max() < 10
    assert np.abs(out[32:] - points[32:]).max() < 10


def test_the_runner_ends_when_the_rest_is_not_wanted() -> None:
    points, times = shaking(600), np.arange(600) / 30
    asked = iter([False, True])
    slow = make_filter(choose("one-euro", min_cutoff_hz=0.1, beta=0))
    out = run_filter(slow, points, times, stop=lambda: next(asked))
    assert not np.array_equal(out[200], points[200])
    np.testing.assert_array_equal(out[256:], points[256:])

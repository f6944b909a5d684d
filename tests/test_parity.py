"""The record of how far kb and torch are apart: it is whole, it can be made again, and the measure can see an error."""

import numpy as np
import pytest

from sitebuild.parity import read, shown
from tests import parity

FUNCTIONS = read()["functions"]
AGAIN = [
    ("foundations", "softmax", "softmax"),
    ("learning", "cost_function", "cross_entropy"),
    ("architecture", "attention", "scaled_dot_product_attention"),
    ("architecture", "layer_normalization", "layer_norm"),
    ("generation", "forward_diffusion", "add_noise"),
]
UNITS = {"float64": 1e-12, "float32": 1e-3}


@pytest.mark.parametrize(("arc", "slug"), parity.modules())
def test_every_function_with_a_twin_has_a_row(arc, slug):
    recorded = {name for name in FUNCTIONS if name.startswith(f"kb.{arc}.{slug}.")}
    expected = {f"kb.{arc}.{slug}.{name}" for name in parity.twins(arc, slug)}
    assert recorded == expected, "measure again: RECORD=1 python -m tests.parity"


def test_the_record_says_with_what_and_when():
    record = read()
    assert set(record["versions"]) == {"Python", "NumPy", "torch"}
    assert len(record["date"].split("-")) == 3
    for name, row in FUNCTIONS.items():
        for kind in UNITS if row["cases"] else ():
            assert max(row[kind]["value"], row[kind]["gradient"] or 0) < UNITS[kind], name


@pytest.mark.parametrize(("arc", "slug", "name"), AGAIN, ids=lambda value: value)
def test_a_row_can_be_measured_again(arc, slug, name):
    """To a few units of rounding: another processor adds in another order."""
    (full, again), recorded = next(iter(parity.measure(arc, slug, {name}).items())), FUNCTIONS
    assert again["cases"] == recorded[full]["cases"]
    for kind, dtype in parity.DTYPES.items():
        for what, error in again[kind].items():
            assert (error is None) == (recorded[full][kind][what] is None)
            assert abs((error or 0) - (recorded[full][kind][what] or 0)) <= 8 * np.finfo(dtype).eps, (kind, what)


def test_the_distance_sees_what_differs_and_nothing_else():
    nan, inf = np.nan, np.inf
    assert parity.distance(np.array([1.0, nan, inf, -inf]), np.array([1.0, nan, inf, -inf])) == 0
    assert parity.distance(np.array([1.0, 8.0]), np.array([2.0, 8.0])) == 1 / 8
    assert parity.distance(np.array([0.25]), np.array([0.5])) == 0.25
    assert parity.distance(np.array([inf]), np.array([1.0])) == inf
    assert np.isnan(parity.distance(np.array([nan]), np.array([1.0])))


def test_errors_are_printed_short():
    assert [shown(error) for error in (None, 0.0, 2.2e-16, 1e-07, 0.00024)] == ["–", "0", "2e-16", "1e-7", "2e-4"]

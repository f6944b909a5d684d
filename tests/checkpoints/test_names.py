import numpy as np
import pytest

from kb.checkpoints.names import check_weights, nest


def test_nest_by_hand():
    """Numbers by their size, whatever the order of the names."""
    tree = nest({"h.10.b": 1, "ln.weight": 2, "h.2.b": 3, "h.2.a.c": 4})
    assert tree == {"ln": {"weight": 2}, "h": {"2": {"b": 3, "a": {"c": 4}}, "10": {"b": 1}}}
    assert list(tree["h"]) == ["2", "10"]


def test_weights_that_fit_and_others():
    expected = {"a": (2,), "b": (2, 3)}
    fitting = {"b": np.ones((2, 3)), "a": np.ones(2)}
    assert check_weights(fitting, expected) is fitting
    with pytest.raises(ValueError, match=r"1 missing \['b'\], 1 unknown \['c'\]"):
        check_weights({"a": np.ones(2), "c": np.ones(2)}, expected)
    with pytest.raises(ValueError, match=r"b has shape \(3, 2\), expected \(2, 3\)"):
        check_weights({"a": np.ones(2), "b": np.ones((3, 2))}, expected)

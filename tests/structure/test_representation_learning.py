"""What proves kb.structure.representation_learning, and what the page says about the shipped network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import orth
from sklearn.metrics import roc_auc_score

import kb.torch.structure.representation_learning as kt
from figures import inside_digits
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.stochastic_gradient_descent import train
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward, forward_all
from kb.structure.layers import linear
from kb.structure.multilayer_perceptron import init_mlp
from kb.structure.representation_learning import hold, mean_activations, separation, visible_part
from tests.contract import Case, contract, gpu_contract

LABELS, YES = np.array([0, 2, 1, 1, 0, 2, 2]), np.array([True, False, True, True, False, False, True])
NET = {"0.weight": (4, 5), "0.bias": (4,), "2.weight": (3, 4), "2.bias": (3,), "4.weight": (2, 3), "4.bias": (2,)}
CASES = [
    Case(mean_activations, activations=(7, 3), labels=LABELS, num_classes=3),
    Case(separation, differentiable=False, activations=(7, 3), yes=YES),
    Case(separation, differentiable=False, activations=np.array([[1.0], [0.0], [1.0], [1.0]]), yes=YES[:4]),
    Case(visible_part, differentiable=False, weight=(2, 6), images=(4, 6)),
    Case(visible_part, differentiable=False, weight=(2, 3), images=(9, 3)),
    Case(hold, params=NET, layer=1, neuron=2, value=0.5),
    Case(hold, params=NET, layer=2, neuron=0, value=-1.0),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def random_net(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in NET.items()}


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30))
def test_separation_is_the_area_under_the_roc_curve(pairs):
    """Integers, so that there are ties; scikit-learn computes it by sorting."""
    values, yes = np.array([v for v, _ in pairs], float), np.array([y for _, y in pairs])
    if yes.any() and not yes.all():
        assert separation(values[:, None], yes)[0] == pytest.approx(roc_auc_score(yes, values), abs=1e-12)
        assert separation(-values[:, None], yes)[0] == pytest.approx(1 - separation(values[:, None], yes)[0], abs=1e-12)


def test_the_visible_part_is_the_projection_on_the_span_of_the_images():
    rng = np.random.default_rng(0)
    images = rng.standard_normal((6, 4)) @ rng.standard_normal((4, 9))  # six images, four directions
    weight = rng.standard_normal((3, 9))
    seen = visible_part(weight, images)
    basis = orth(images.T)
    assert basis.shape == (9, 4)
    np.testing.assert_allclose(seen, weight @ basis @ basis.T, atol=1e-12)
    np.testing.assert_allclose(seen @ images.T, weight @ images.T, atol=1e-12)  # the same sums
    np.testing.assert_allclose((weight - seen) @ images.T, 0, atol=1e-12)
    np.testing.assert_allclose(visible_part(seen, images), seen, atol=1e-12)


@pytest.mark.parametrize(("layer", "neuron"), [(1, 0), (1, 3), (2, 1)])
def test_a_held_neuron_answers_as_if_its_activation_were_replaced(layer, neuron):
    params, x, value = random_net(), np.random.default_rng(1).standard_normal((8, 5)), 0.37
    a = forward_all(params, x, sigmoid)[f"a{layer}"].copy()
    a[:, neuron] = value
    for name in ("0", "2", "4")[layer:]:
        a = sigmoid(linear(a, params[f"{name}.weight"], params[f"{name}.bias"]))
    held = hold(params, layer, neuron, value)
    np.testing.assert_allclose(forward(held, x, sigmoid), a, rtol=1e-12)
    changed = {**params, "0.weight": params["0.weight"] * (1 + (np.arange(4) == neuron)[:, None])}
    if layer == 1:  # what the neuron reads no longer matters
        np.testing.assert_allclose(forward(hold(changed, 1, neuron, value), x, sigmoid), a, rtol=1e-12)


def test_training_never_changes_what_no_image_can_see():
    """Each gradient of a row is a mixture of images: after ten steps the invisible part is what it was at the start."""
    digits = load_digits(28, dtype=np.float64)
    x, y = digits.images[:50].reshape(50, 784), np.eye(10)[digits.labels[:50]]
    start = init_mlp((784, 16, 16, 10), np.random.default_rng(0), dtype="float64")
    end, _ = train(squared_error_gradients, start, x, y, 0.5, 2, 10, np.random.default_rng(0))
    before, after = start["0.weight"], end["0.weight"]
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(after - visible_part(after, x), before - visible_part(before, x), atol=1e-12)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_mean_activations_by_hand():
    activations, labels = np.array([[1.0, 0.0], [3.0, 1.0], [5.0, 0.0]]), np.array([1, 1, 0])
    np.testing.assert_array_equal(mean_activations(activations, labels, 2), [[5.0, 0.0], [2.0, 0.5]])


def test_separation_by_hand():
    """Members 3 and 1, others 2 and 1: pairs 3>2, 3>1, 1<2, 1=1 make (1 + 1 + 0 + 1/2) / 4."""
    share = separation(np.array([[3.0], [2.0], [1.0], [1.0]]), np.array([True, False, True, False]))
    assert share[0] == 0.625


def test_visible_part_by_hand():
    """One image sees one direction."""
    seen = visible_part(np.array([[1.0, 0.0]]), np.array([[3.0, 4.0]]))
    np.testing.assert_allclose(seen, [[0.36, 0.48]], rtol=1e-15)


# ---- errors ------------------------------------------------------------------------------------------------------
def test_a_class_without_examples_is_refused():
    for module in (mean_activations, kt.mean_activations):
        make = np.asarray if module is mean_activations else kt.torch.tensor
        with pytest.raises(ValueError, match="no example of class 1"):
            module(make([[1.0], [2.0]]), make([0, 2]), 3)


def test_a_group_without_members_is_refused():
    with pytest.raises(ValueError, match="0 members and 2 others"):
        separation(np.ones((2, 1)), np.array([False, False]))


@pytest.mark.parametrize(("layer", "neuron", "message"), [(0, 0, "layer is 0"), (3, 0, "1..2"), (1, 4, r"0\.\.3")])
def test_only_hidden_neurons_can_be_held(layer, neuron, message):
    with pytest.raises(ValueError, match=message):
        hold(random_net(), layer, neuron, 0.0)


# ---- what the page says ------------------------------------------------------------------------------------------
def test_all_digits_are_mixtures_of_61_blots():
    digits = load_digits(28, dtype=np.float64).images.reshape(-1, 784)
    train_images = split(load_digits(28, dtype=np.float64))[0].images.reshape(-1, 784)
    assert len(inside_digits.blots()) == np.linalg.matrix_rank(digits) == np.linalg.matrix_rank(train_images) == 61
    weight = digits_mlp()["0.weight"].astype(np.float64)
    np.testing.assert_allclose(inside_digits.visible_weights(), visible_part(weight, digits), atol=1e-9)


def test_the_edges_are_edges_and_can_be_found():
    """An edge from the bank is found as itself; each has length 1."""
    edges = inside_digits.edges()
    assert edges.shape == (4096, 784)
    np.testing.assert_allclose(np.linalg.norm(edges, axis=1), 1)
    found, share = inside_digits.best_edges(-3 * edges[[17, 2000]])
    np.testing.assert_allclose(share, 1)
    np.testing.assert_allclose(found, -edges[[17, 2000]], atol=1e-12)


def test_a_planted_loop_detector_comes_first():
    """The ranking of the sets of digits can find a loop neuron where there is one."""
    labels = inside_digits.held_out()[1]
    planted = inside_digits.activations(1).copy()
    planted[:, 5] = np.isin(labels, inside_digits.LOOPS) + 0.01 * planted[:, 5]
    share = separation(planted, np.isin(labels, inside_digits.LOOPS))
    assert share[5] == 1
    assert inside_digits.best_separations(1)[inside_digits.LOOPS] < 0.9

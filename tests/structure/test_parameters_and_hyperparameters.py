import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit as scipy_logit

import kb.torch.structure.parameters_and_hyperparameters as kt
from figures.live_model import EVENTS, changes
from kb.structure.activation_functions import sigmoid
from kb.structure.parameters_and_hyperparameters import changed, fingerprints, logit
from kb.torch.structure.multilayer_perceptron import MLP
from tests.contract import Case, contract, gpu_contract

P = np.random.default_rng(0).uniform(0.01, 0.99, (3, 4))
CASES = [Case(logit, p=P), Case(logit, p=np.array(0.25)), Case(logit, differentiable=False, p=np.array([0.0, 1.0]))]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


# ---- invariants --------------------------------------------------------------------------------------------------
@given(st.floats(1e-6, 1 - 1e-6))
def test_the_sigmoid_of_the_logit_is_the_probability(p):
    assert sigmoid(logit(np.array(p))) == pytest.approx(p, rel=1e-9)
    assert logit(np.array(p)) == pytest.approx(scipy_logit(p), rel=1e-9, abs=1e-15)


def test_the_same_numbers_have_the_same_fingerprint_whatever_their_layout():
    a = np.random.default_rng(0).normal(size=(4, 6))
    same = fingerprints({"a": a, "copy": a.copy(), "other order": np.asfortranarray(a), "view": a.T.copy().T})
    assert len(set(same.values())) == 1


@given(st.integers(0, 23))
def test_one_bit_is_enough(i):
    a = np.random.default_rng(0).normal(size=24)
    nudged = np.where(np.arange(24) == i, np.nextafter(a, np.inf), a)
    assert changed(fingerprints({"a": a}), fingerprints({"a": nudged})) == ["a"]


@pytest.mark.parametrize("other", [np.zeros(4), np.zeros((2, 3)), np.zeros((3, 2), np.float32), -np.zeros((3, 2))])
def test_shape_type_and_sign_count(other):
    assert changed(fingerprints({"a": np.zeros((3, 2))}), fingerprints({"a": other})) == ["a"]


def test_torch_has_the_same_fingerprints():
    state = MLP(5, 4, 3).state_dict()
    assert kt.fingerprints(state) == fingerprints({name: value.numpy() for name, value in state.items()})


def test_new_and_missing_names_count_as_changed():
    assert changed({"a": "1", "b": "2"}, {"b": "2", "c": "3"}) == ["a", "c"]
    assert changed({}, {}) == []


# ---- the live model of the page ----------------------------------------------------------------------------------
PARAMETERS = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
ACTIVATIONS = ["z1", "a1", "z2", "a2", "z3", "a3"]


def test_the_same_image_changes_nothing():
    assert changes("the same image") == []


def test_another_image_changes_activations_and_no_parameter():
    assert changes("another image") == ["a0", *ACTIVATIONS]


def test_a_training_step_changes_every_parameter_and_so_the_activations():
    assert set(changes("a training step")) == {*PARAMETERS, *ACTIVATIONS}


def test_a_new_run_changes_all_but_the_image():
    assert set(changes("a new run")) == {*PARAMETERS, *ACTIVATIONS, "hyperparameters"}
    assert len(EVENTS) == 4


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_logits_by_hand():
    np.testing.assert_allclose(logit(np.array([0.5, 0.8, 0.2])), [0, math.log(4), -math.log(4)], atol=1e-15)
    np.testing.assert_array_equal(logit(np.array([0.0, 1.0])), [-np.inf, np.inf])


# ---- error messages ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_a_probability_lies_between_0_and_1(p):
    for fn, value in ((logit, np.array([0.5, p])), (kt.logit, torch.tensor([0.5, p]))):
        with pytest.raises(ValueError, match=r"p must lie in 0\.\.1"):
            fn(value)


# ---- mutation: a reference instead of a copy ---------------------------------------------------------------------
def test_a_kept_reference_changes_along_and_hides_the_change():
    params = {"w": np.ones(3)}
    kept, prints = dict(params), fingerprints(params)
    params["w"] -= 0.1  # in place, as torch's optimisers do
    assert np.array_equal(kept["w"], params["w"])
    assert changed(prints, fingerprints(params)) == ["w"]

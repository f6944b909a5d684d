import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.layer_normalization as kb
import kb.torch.architecture.layer_normalization as kt
from kb.autograd.check import check_gradient
from kb.autograd.tensor import grad
from tests.contract import EPS32, Case, contract, gpu_contract

CASES = [
    Case(kb.layer_norm, x=(2, 3, 8)),
    Case(kb.layer_norm, x=(5, 8), weight=(8,), bias=(8,)),
    Case(kb.layer_norm, x=(8,), weight=(8,), eps=0.1),
    Case(kb.rms_norm, x=(2, 3, 8)),
    Case(kb.rms_norm, x=(5, 8), weight=(8,), eps=1e-6),
    Case(kb.layer_norm_backward, grad=(4, 3, 8), x=(4, 3, 8), weight=(8,)),
    Case(kb.layer_norm_backward, grad=(8,), x=(8,), weight=(8,), eps=0.1),
    Case(kb.group_norm, x=(2, 6, 3, 4), num_groups=3, weight=(6,), bias=(6,)),
    Case(kb.group_norm, x=(2, 6, 5), num_groups=1, weight=(6,)),
    Case(kb.group_norm, x=(3, 8), num_groups=2, eps=1e-3),
    Case(kb.batch_norm, x=(5, 3), weight=(3,), bias=(3,), training=True),
    Case(kb.batch_norm, x=(2, 3, 4, 2), training=True, eps=0.1),
    Case(
        kb.batch_norm, ["x", "weight", "bias"], x=(2, 3, 4), weight=(3,), bias=(3,),
        running_mean=np.array([0.1, 0.2, -0.3]), running_var=np.array([0.5, 1.0, 2.0]),
    ),
    Case(kb.batch_statistics, x=(5, 3)),
    Case(kb.batch_statistics, x=(2, 3, 4, 2)),
    Case(kb.running_statistics, x=(5, 3, 2), running_mean=(3,), running_var=np.array([0.5, 1.0, 2.0])),
    Case(kb.running_statistics, x=(5, 3), running_mean=(3,), running_var=np.array([0.5, 1.0, 2.0]), momentum=0.5),
    Case(kb.pre_norm, x=(2, 3, 8), sublayer=kb.rms_norm, weight=(8,), bias=(8,)),
    Case(kb.post_norm, x=(2, 3, 8), sublayer=kb.rms_norm, weight=(8,), bias=(8,)),
]  # fmt: skip
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# ---- invariants --------------------------------------------------------------------------------------------------
def test_each_vector_has_mean_0_and_variance_1():
    y = kb.layer_norm(3 * normal(4, 5, 768) + 7, eps=0)
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-13)
    np.testing.assert_allclose(y.var(-1), 1, rtol=1e-13)
    np.testing.assert_allclose(np.square(kb.rms_norm(normal(4, 768), eps=0)).mean(-1), 1, rtol=1e-13)


@settings(max_examples=50)
@given(st.floats(-100, 100), st.floats(0.5, 100), st.integers(2, 30))
def test_shift_and_scale_of_the_input_do_not_matter(shift, scale, d):
    """Layer norm sees neither, RMS norm sees the shift."""
    x = normal(3, d)
    np.testing.assert_allclose(kb.layer_norm(scale * x + shift, eps=0), kb.layer_norm(x, eps=0), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(kb.rms_norm(scale * x, eps=0), kb.rms_norm(x, eps=0), rtol=1e-12)
    assert not np.allclose(kb.rms_norm(x + 5, eps=0), kb.rms_norm(x, eps=0))


@settings(max_examples=100)
@given(st.floats(-1e9, 1e9, width=32), st.sampled_from([1, 2, 3, 100, 768]), st.sampled_from([np.float32, np.float64]))
def test_a_constant_row_gives_the_bias(value, d, dtype):
    """Exactly, whatever its value: no nan, and no rounding error of the mean that is blown up to 1."""
    x = np.full((2, d), value, dtype)
    bias = normal(d).astype(dtype)
    np.testing.assert_array_equal(kb.layer_norm(x, normal(d).astype(dtype), bias), np.broadcast_to(bias, x.shape))
    np.testing.assert_array_equal(kb.group_norm(x, 1), 0)
    channels = np.full((3, d), value, dtype)
    np.testing.assert_array_equal(kb.batch_norm(channels, training=True), 0)


def test_large_means_do_not_swallow_the_variance_in_float32():
    """The offset is a power of two, so that float32 holds these rows exactly; float64 is the oracle."""
    x = np.round(normal(50, 768) * 256) / 256 + 4096
    exact = kb.layer_norm(x)
    np.testing.assert_allclose(kb.layer_norm(x.astype(np.float32)), exact, atol=64 * EPS32)


def test_a_position_depends_on_itself_alone():
    x = normal(2, 3, 8)
    changed = x.copy()
    changed[0, 1] = 9
    same = kb.layer_norm(x) == kb.layer_norm(changed)
    assert same.all(-1).tolist() == [[True, False, True], [True, True, True]]


# ---- which axes --------------------------------------------------------------------------------------------------
def test_the_same_formula_over_different_axes():
    """The four norms of a picture-like array (n, c, h, w), each by NumPy's mean and variance over its axes."""
    x = normal(4, 6, 5, 3)

    def over(*axes, x=x):
        return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)

    np.testing.assert_allclose(kb.layer_norm(x), over(3), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(kb.batch_norm(x, training=True), over(0, 2, 3), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(kb.group_norm(x, 1), over(1, 2, 3), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(kb.group_norm(x, 6), over(2, 3), rtol=1e-12, atol=1e-13)
    pairs = x.reshape(4, 3, 2, 5, 3)
    np.testing.assert_allclose(kb.group_norm(x, 3), over(2, 3, 4, x=pairs).reshape(x.shape), rtol=1e-12, atol=1e-13)


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_four_numbers_by_hand():
    """Mean 5, variance 9 (deviations 3, 3, -3, -3)."""
    np.testing.assert_allclose(kb.layer_norm(np.array([8.0, 8, 2, 2]), eps=0), [1, 1, -1, -1], rtol=1e-15)
    np.testing.assert_allclose(kb.rms_norm(np.array([7.0, 1, 1, 7]), eps=0), [1.4, 0.2, 0.2, 1.4], rtol=1e-15)
    mean, var = kb.running_statistics(np.array([[8.0], [2]]), np.array([0.0]), np.array([1.0]))
    np.testing.assert_allclose([*mean, *var], [0.5, 0.9 + 0.1 * 18], rtol=1e-15)


# ---- errors ------------------------------------------------------------------------------------------------------
def test_groups_must_divide_the_channels():
    for groups in (0, 4):
        with pytest.raises(ValueError, match=f"{groups} groups do not divide the 6 channels"):
            kb.group_norm(normal(2, 6, 3), groups)


def test_batch_norm_refuses_what_has_no_statistics():
    with pytest.raises(ValueError, match="one value per channel"):
        kb.batch_norm(normal(1, 3), training=True)
    with pytest.raises(ValueError, match="needs running_mean and running_var"):
        kb.batch_norm(normal(4, 3))
    with pytest.raises(ValueError, match=r"weight has shape \(5\,\)"):
        kb.layer_norm(normal(4, 3), normal(5))


# ---- gradient ----------------------------------------------------------------------------------------------------
def test_the_backward_pass_by_hand_is_the_engine_s():
    x, weight, bias, wish = normal(4, 3, 8), normal(8, seed=1), normal(8, seed=2), normal(4, 3, 8, seed=3)
    ours = kb.layer_norm_backward(wish, x, weight)
    for i in range(3):
        slope = grad(lambda *args: np.sum(wish * kb.layer_norm(*args)), i)(x, weight, bias)
        np.testing.assert_allclose(ours[i], slope, rtol=1e-10, atol=1e-12)
    check_gradient(kb.layer_norm, x, weight, bias)


def test_the_gradient_has_nothing_along_the_ones_and_along_the_vector():
    x = normal(5, 768)
    dx = kb.layer_norm_backward(normal(5, 768, seed=1), x, np.ones(768), eps=0)[0]
    np.testing.assert_allclose(dx.sum(-1), 0, atol=1e-12)
    np.testing.assert_allclose((dx * kb.layer_norm(x)).sum(-1), 0, atol=1e-11)


# ---- torch -------------------------------------------------------------------------------------------------------
def test_batch_norm_through_training_and_evaluation_is_torch_s_module():
    """Three batches of training move the running statistics; then evaluation uses them."""
    module = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    mean, var = np.zeros(3), np.ones(3)
    for step in range(3):
        x = normal(4, 3, 5, 2, seed=step) * 2 + 1
        expected = module(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(kb.batch_norm(x, mean, var, training=True), expected, rtol=1e-12, atol=1e-12)
        mean, var = kb.running_statistics(x, mean, var)
    np.testing.assert_allclose(mean, module.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(var, module.running_var.numpy(), rtol=1e-12)
    module.eval()
    expected = module(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(kb.batch_norm(x, mean, var), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_layer_norm_is_torch_s_module_and_llama_s_rms_norm():
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    x, norm = normal(2, 5, 16).astype(np.float32), torch.nn.LayerNorm(16)
    np.testing.assert_allclose(kb.layer_norm(x), norm(torch.tensor(x)).detach().numpy(), atol=64 * EPS32)
    theirs = LlamaRMSNorm(16, eps=1e-6)(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(kb.rms_norm(x, np.ones(16, np.float32), 1e-6), theirs, atol=64 * EPS32)

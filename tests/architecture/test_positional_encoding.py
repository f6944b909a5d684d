import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import kb.architecture.positional_encoding as kb
import kb.torch.architecture.positional_encoding as kt
from kb.architecture.attention import scaled_dot_product_attention
from tests.contract import EPS32, Case, contract, gpu_contract

CASES = [
    Case(kb.sinusoidal_positions, length=7, width=6),
    Case(kb.sinusoidal_positions, length=3, width=4, theta=100.0, dtype="float64"),
    Case(kb.add_positions, x=(2, 3, 8), table=(5, 8)),
    Case(kb.add_positions, x=(3, 8), table=(5, 8), start=2),
    Case(kb.rope, x=(2, 3, 5, 8), positions=np.arange(5)),
    Case(kb.rope, x=(3, 8), positions=np.array([7, 0, 2047]), interleaved=True),
    Case(kb.rope, x=(1, 6), positions=np.array([100_000]), theta=500_000.0),
    Case(kb.rope_angles, positions=np.arange(5), width=6),
    Case(kb.score_by_distance, q=(8,), k=(8,), positions=np.arange(5)),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# ---- attention cannot tell order ---------------------------------------------------------------------------------
@settings(max_examples=30)
@given(st.permutations(range(6)), st.integers(0, 99))
def test_without_positions_a_permuted_input_permutes_the_output(order, seed):
    x = normal(6, 8, seed=seed)
    out = scaled_dot_product_attention(x, x, x)
    np.testing.assert_allclose(scaled_dot_product_attention(*[x[order]] * 3), out[order], rtol=1e-12, atol=1e-13)


def test_with_positions_it_does_not():
    x, order, positions = normal(6, 8), [5, 0, 1, 2, 3, 4], np.arange(6)
    for place in (
        lambda x: (kb.add_positions(x, kb.sinusoidal_positions(6, 8)),) * 3,
        lambda x: (kb.rope(x, positions), kb.rope(x, positions), x),
    ):
        out, permuted = (scaled_dot_product_attention(*place(given)) for given in (x, x[order]))
        assert np.abs(permuted - out[order]).max() > 0.05


# ---- rotary ------------------------------------------------------------------------------------------------------
@settings(max_examples=50)
@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(-2000, 2000), st.booleans())
def test_the_score_depends_on_the_distance_alone(m, n, shift, interleaved):
    q, k = normal(1, 8), normal(1, 8, seed=1)

    def score(m, n):
        turn = [kb.rope(x, np.array([p]), interleaved=interleaved) for x, p in ((q, m), (k, n))]
        return (turn[0] @ turn[1].T).item()

    assert math.isclose(score(m, n), score(m + shift, n + shift), rel_tol=1e-9, abs_tol=1e-10)


def test_every_diagonal_of_the_table_is_one_number():
    table = kb.score_by_distance(normal(16), normal(16, seed=1), np.arange(9))
    for d in range(-8, 9):
        np.testing.assert_allclose(np.diagonal(table, d), np.diagonal(table, d)[0], rtol=1e-12, atol=1e-12)
    assert np.ptp(table[0]) > 0.1  # not one number everywhere


@pytest.mark.parametrize("interleaved", [False, True])
def test_a_rotation_keeps_lengths_and_position_0_turns_nothing(interleaved):
    x = normal(2, 5, 8)
    turned = kb.rope(x, np.array([0, 1, 10, 100, 1000]), interleaved=interleaved)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-14)
    np.testing.assert_array_equal(turned[:, 0], x[:, 0])


def test_both_layouts_are_one_rotation_of_reordered_entries():
    x, positions = normal(3, 8), np.arange(3)
    evens_first = [0, 2, 4, 6, 1, 3, 5, 7]
    np.testing.assert_allclose(
        kb.rope(x, positions, interleaved=True)[:, evens_first], kb.rope(x[:, evens_first], positions), rtol=1e-15
    )


def test_interleaved_is_multiplication_by_a_complex_number():
    """An oracle of a different kind: x_2i + i x_2i+1 times e^(i angle)."""
    x, positions = normal(4, 6), np.array([0, 3, 50, 7])
    turned = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * positions[:, None] / 10000 ** (np.arange(3) / 3))
    expected = np.stack([turned.real, turned.imag], -1).reshape(4, 6)
    np.testing.assert_allclose(kb.rope(x, positions, interleaved=True), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.slow
def test_half_split_is_hugging_face_s_llama():
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    config = LlamaConfig(
        hidden_size=32, num_attention_heads=2, rope_parameters={"rope_type": "default", "rope_theta": 5e3}
    )
    q, k = (torch.tensor(normal(1, 2, 7, 16, seed=s).astype(np.float32)) for s in range(2))
    positions = torch.arange(7) + 3
    cos_sin = LlamaRotaryEmbedding(config)(q, positions[None])
    for ours, theirs in zip((q, k), apply_rotary_pos_emb(q, k, *cos_sin), strict=True):
        got = kb.rope(ours.numpy(), positions.numpy(), theta=5e3)
        np.testing.assert_allclose(got, theirs.numpy(), atol=64 * EPS32)  # theirs takes the angles in float32


# ---- sinusoidal --------------------------------------------------------------------------------------------------
def test_sinusoidal_by_a_plain_loop_as_the_paper_writes_it():
    table = kb.sinusoidal_positions(20, 6, dtype="float64")
    for position in range(20):
        for i in range(3):
            angle = position / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(
                table[position, 2 * i : 2 * i + 2], [math.sin(angle), math.cos(angle)], rtol=1e-12
            )
    assert kb.sinusoidal_positions(20, 6).dtype == np.float32


def test_the_product_of_two_position_vectors_depends_on_their_distance():
    table = kb.sinusoidal_positions(30, 64, dtype="float64")
    products = table @ table.T
    for d in range(30):
        np.testing.assert_allclose(np.diagonal(products, d), products[0, d], rtol=1e-12)
    np.testing.assert_allclose(products[0, 0], 32)  # sin^2 + cos^2, 32 times


def test_a_step_is_one_fixed_linear_map():
    """Section 3.5: PE(pos + k) is a linear function of PE(pos): the rotation by k."""
    table = kb.sinusoidal_positions(40, 8, dtype="float64")
    np.testing.assert_allclose(
        kb.rope(table[:30, [1, 0, 3, 2, 5, 4, 7, 6]], np.full(30, 10), interleaved=True)[:, [1, 0, 3, 2, 5, 4, 7, 6]],
        table[10:],
        atol=1e-12,
    )


# ---- errors ------------------------------------------------------------------------------------------------------
def test_errors():
    with pytest.raises(ValueError, match="even, not 7"):
        kb.sinusoidal_positions(3, 7)
    with pytest.raises(ValueError, match="even, not 3"):
        kb.rope(normal(2, 3), np.arange(2))
    with pytest.raises(ValueError, match="floating-point, not int64"):
        kb.rope(np.ones((2, 4), np.int64), np.arange(2))
    for start in (3, -1):
        with pytest.raises(ValueError, match=r"x \(3, 4\) needs positions .* table has \(5, 4\)"):
            kb.add_positions(normal(3, 4), normal(5, 4), start)

"""GPT-3 by the numbers: what proves kb.architecture.gpt_3. The oracles build the model, or count while it runs."""

import dataclasses

import numpy as np
import pytest

import kb.architecture.gpt_3 as kb
from kb.architecture.kv_cache import multiplications
from kb.architecture.transformer import GPTConfig, count_parameters, gpt, init_gpt

CASES = []  # no arrays: the contract has nothing to check

SMALL = GPTConfig(vocab_size=50, n_positions=20, n_embd=12, n_layer=3, n_head=2, n_inner=30)


# ---- hand-computed: the table ------------------------------------------------------------------------------------
def test_every_line_of_the_table():
    assert kb.weight_matrices(kb.GPT3) == {
        "embedding": 617_558_016,
        "key": 14_495_514_624,
        "query": 14_495_514_624,
        "value": 14_495_514_624,
        "output": 14_495_514_624,
        "up-projection": 57_982_058_496,
        "down-projection": 57_982_058_496,
        "unembedding": 617_558_016,
    }
    assert sum(kb.weight_matrices(kb.GPT3).values()) == 175_181_291_520


def test_the_sizes():
    assert (kb.GPT3.n_embd // kb.GPT3.n_head, 4 * kb.GPT3.n_embd) == (128, 49_152)
    assert count_parameters(kb.GPT2_SMALL) == 124_439_808


def test_what_is_left_out_by_hand():
    """2048 x 12288 positions; 5 d + 4 d biases per layer; 2 norms per layer and one more, 2 d each."""
    assert kb.left_out(kb.GPT3) == {"positions": 25_165_824, "biases": 9 * 12_288 * 96, "norms": 2 * 12_288 * 193}


def test_the_papers_own_figures():
    """Table D.1: 174,600 million parameters, 3.14e23 operations for 300 billion tokens, 3.64e3 petaflop/s-days."""
    assert round(count_parameters(kb.GPT3) / 1e6, -2) == 174_600
    assert f"{kb.training_flops(kb.GPT3, 300e9):.2e}" == "3.14e+23"
    assert f"{kb.training_flops(kb.GPT3, 300e9) / (1e15 * 86_400):.2e}" == "3.64e+03"


# ---- invariants --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("config", [kb.GPT3, kb.GPT2_SMALL, SMALL])
def test_matrices_and_the_rest_are_all_there_is(config):
    """The transformer counts its arrays by name; there embedding and unembedding are one."""
    matrices = kb.weight_matrices(config)
    everything = sum(matrices.values()) + sum(kb.left_out(config).values())
    assert everything - matrices["unembedding"] == count_parameters(config)
    assert kb.weight_bytes(config, 4) == 4 * count_parameters(config)


@pytest.mark.parametrize("config", [kb.GPT2_SMALL, SMALL])
def test_each_line_is_the_size_of_its_arrays(config):
    """Counted from the shapes of the published names: c_attn holds query, key and value side by side."""
    sizes = {name: int(np.prod(shape)) for name, shape in config.shapes().items()}
    of = {
        end: sum(n for name, n in sizes.items() if name.endswith(end)) for end in ("c_attn.weight", "mlp.c_fc.weight")
    }
    matrices, rest = kb.weight_matrices(config), kb.left_out(config)
    assert matrices["embedding"] == matrices["unembedding"] == sizes["wte.weight"]
    assert matrices["key"] + matrices["query"] + matrices["value"] == of["c_attn.weight"]
    assert matrices["output"] == sum(n for name, n in sizes.items() if name.endswith("attn.c_proj.weight"))
    assert matrices["up-projection"] == of["mlp.c_fc.weight"]
    assert matrices["down-projection"] == sum(n for name, n in sizes.items() if name.endswith("mlp.c_proj.weight"))
    assert rest["positions"] == sizes["wpe.weight"]
    assert rest["norms"] == sum(n for name, n in sizes.items() if "ln_" in name)
    assert rest["biases"] == sum(n for name, n in sizes.items() if name.endswith(".bias") and "ln_" not in name)


def test_the_operations_are_those_that_a_step_with_a_cache_makes():
    for config in (kb.GPT3, kb.GPT2_SMALL, SMALL):
        for context in (1, 7, 20):
            assert kb.flops_per_token(config, context) == 2 * multiplications(config, 1, context - 1)


@pytest.mark.slow
def test_the_operations_counted_by_torch_while_a_model_runs():
    """20 tokens, each row of scores computed in full by attention's plain form: torch counts every product."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    import kb.torch.architecture.transformer as kt

    model, t = kt.GPT2(SMALL), 20
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model(torch.zeros((1, t), dtype=torch.long))
    assert counter.get_total_flops() == t * kb.flops_per_token(SMALL, context=t)


@pytest.mark.slow
def test_training_counts_the_backward_pass_twice():
    """By torch's own counter again, on a stack of plain products: forward 1, backward 2, but for the first input."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    weights = [torch.randn(8, 8, requires_grad=True) for _ in range(3)]
    x = torch.randn(5, 8, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        out = x
        for weight in weights:
            out = out @ weight
        forward = counter.get_total_flops()
        out.sum().backward()
    assert counter.get_total_flops() == 3 * forward == 3 * 2 * 5 * 8 * 8 * 3
    assert kb.training_flops(SMALL, 5) == 3 * 5 * kb.flops_per_token(SMALL)


@pytest.mark.slow
def test_the_model_itself_built_without_memory():
    """On the meta device tensors have shapes and no numbers: all 174 billion fit."""
    import torch

    import kb.torch.architecture.transformer as kt

    with torch.device("meta"):
        model = kt.GPT2(kb.GPT3)
    assert sum(p.numel() for p in model.parameters()) == count_parameters(kb.GPT3)


# ---- mutations ---------------------------------------------------------------------------------------------------
def test_heads_as_wide_as_the_model_would_be_another_model():
    """The named mistake: 12,288 for the width of a head. Attention alone would hold 5.6 trillion numbers."""
    d, heads, layers = kb.GPT3.n_embd, kb.GPT3.n_head, kb.GPT3.n_layer
    assert 4 * d * d * heads * layers == heads * sum(
        kb.weight_matrices(kb.GPT3)[n] for n in ("key", "query", "value", "output")
    )
    assert 5.5e12 < 4 * d * d * heads * layers < 5.6e12


def test_more_heads_at_the_same_width_change_no_count():
    assert kb.weight_matrices(dataclasses.replace(SMALL, n_head=6)) == kb.weight_matrices(SMALL)


def test_the_counted_model_runs():
    """The same config makes a model: its arrays are as many as counted."""
    params = init_gpt(SMALL, np.random.default_rng(0))
    assert sum(a.size for a in params.values()) == count_parameters(SMALL)
    assert gpt(params, np.arange(5), SMALL).shape == (5, 50)


# ---- error messages ----------------------------------------------------------------------------------------------
def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="n_head"):
        GPTConfig(n_embd=12_288, n_head=95)

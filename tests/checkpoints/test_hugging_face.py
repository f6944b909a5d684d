import json
import tracemalloc

import numpy as np
import pytest

from kb.architecture.transformer import GPT2, GPTConfig, Llama, LlamaConfig
from kb.checkpoints.safetensors import load_file, save_file

IDS = np.array([[3, 0, 12, 5, 5, 1]])


def folder_of(path, model):
    """What save_pretrained writes, without its progress bar on the screen."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(path)
    return path


def gpt2_config(**changes):
    import transformers

    sizes = {"vocab_size": 13, "n_positions": 9, "n_embd": 8, "n_layer": 2, "n_head": 2}
    return transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0, initializer_range=0.3, **changes)


def llama_config(**changes):
    import transformers

    sizes = {"vocab_size": 13, "hidden_size": 16, "intermediate_size": 12, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 9}
    return transformers.LlamaConfig(**{**sizes, **heads, "initializer_range": 0.3, **changes})


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    """A folder, and the logits of the model in it."""
    import transformers

    model = transformers.GPT2LMHeadModel(gpt2_config()).eval()
    return folder_of(tmp_path_factory.mktemp("gpt2"), model), logits(model)


def logits(model):
    import torch

    with torch.no_grad():
        return model(torch.tensor(IDS)).logits.float().numpy()


@pytest.fixture
def changed(gpt2, tmp_path):
    """A copy of the folder, of which a test spoils something: changed(config={...}, tensors=function of the dict)."""

    def change(config=(), tensors=lambda arrays: arrays):
        fields = json.loads((gpt2[0] / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps({**fields, **dict(config)}))
        save_file(tensors(load_file(gpt2[0] / "model.safetensors")), tmp_path / "model.safetensors")
        return tmp_path

    return change


# ---- what transformers writes ------------------------------------------------------------------------------------
@pytest.mark.slow
def test_gpt2(gpt2):
    model = GPT2.from_pretrained(gpt2[0])
    assert model.config == GPTConfig(13, 9, 8, 2, 2)
    np.testing.assert_allclose(model(IDS), gpt2[1], rtol=1e-4, atol=1e-4)
    assert model(IDS).dtype == np.float32


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": True}, {"head_dim": 6}, {"num_key_value_heads": None}])
def test_llama(tmp_path, changes):
    import transformers

    model = transformers.LlamaForCausalLM(llama_config(**changes)).eval()
    ours = Llama.from_pretrained(folder_of(tmp_path, model))
    np.testing.assert_allclose(ours(IDS), logits(model), rtol=1e-4, atol=1e-4)
    assert sum(p.size for p in ours.params.values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.slow
def test_the_bare_model_has_no_prefix(gpt2, tmp_path):
    import transformers

    bare = transformers.GPT2LMHeadModel.from_pretrained(gpt2[0]).transformer
    assert "wte.weight" in load_file(folder_of(tmp_path, bare) / "model.safetensors")
    np.testing.assert_array_equal(GPT2.from_pretrained(tmp_path)(IDS), GPT2.from_pretrained(gpt2[0])(IDS))


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_mask_buffers_and_a_second_copy_of_the_head_are_left_out(gpt2, changed, prefix):
    """As the files of GPT-2 on the hub have them: the mask as float32 or as bytes, and its -10000."""

    def add(arrays):
        arrays = {prefix + name.removeprefix("transformer."): a for name, a in arrays.items()}
        for i in range(2):
            arrays[f"{prefix}h.{i}.attn.bias"] = np.tril(np.ones((1, 1, 9, 9), np.float32 if i else np.uint8))
            arrays[f"{prefix}h.{i}.attn.masked_bias"] = np.array(-1e4, np.float32)
        return {**arrays, "lm_head.weight": arrays[prefix + "wte.weight"]}

    model = GPT2.from_pretrained(changed(tensors=add))
    assert model.params.keys() == model.config.shapes().keys()
    np.testing.assert_allclose(model(IDS), gpt2[1], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_becomes_float32_exactly(tmp_path, dtype):
    import torch
    import transformers

    model = transformers.GPT2LMHeadModel(gpt2_config()).to(getattr(torch, dtype))
    ours = GPT2.from_pretrained(folder_of(tmp_path, model))
    for name, p in ours.params.items():
        assert p.dtype == np.float32
        np.testing.assert_array_equal(p, model.transformer.state_dict()[name].float().numpy())


@pytest.mark.slow
def test_a_config_of_an_older_version(gpt2, changed):
    """Fields that did not exist yet, and some that are gone."""
    path = changed({"n_ctx": 9, "task_specific_params": {"text-generation": {"do_sample": True}}})
    fields = json.loads((path / "config.json").read_text())
    for name in ("n_inner", "tie_word_embeddings", "scale_attn_weights", "add_cross_attention", "dtype"):
        del fields[name]
    (path / "config.json").write_text(json.dumps(fields))
    np.testing.assert_allclose(GPT2.from_pretrained(path)(IDS), gpt2[1], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_rope_theta_at_its_old_place(tmp_path):
    import transformers

    model = transformers.LlamaForCausalLM(llama_config(rope_parameters={"rope_type": "default", "rope_theta": 50.0}))
    folder_of(tmp_path, model.eval())
    fields = json.loads((tmp_path / "config.json").read_text())
    assert fields.pop("rope_parameters") == {"rope_type": "default", "rope_theta": 50.0}
    (tmp_path / "config.json").write_text(json.dumps({**fields, "rope_theta": 50, "rope_scaling": None}))
    ours = Llama.from_pretrained(tmp_path)
    np.testing.assert_allclose(ours(IDS), logits(model), rtol=1e-4, atol=1e-4)
    assert not np.allclose(Llama(LlamaConfig(**{**vars(ours.config), "rope_theta": 1e4}), ours.params)(IDS), ours(IDS))


def test_no_more_memory_than_the_file(tmp_path):
    config = GPTConfig(2000, 16, 64, 1, 1)
    params = {name: np.zeros(shape, np.float32) for name, shape in config.shapes().items()}
    copies = {"lm_head.weight": params["wte.weight"], "h.0.attn.bias": np.ones((1, 1, 400, 400), np.float32)}
    save_file(params | copies, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", **vars(config)}))
    GPT2.from_pretrained(tmp_path)
    tracemalloc.start()
    GPT2.from_pretrained(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = (tmp_path / "model.safetensors").stat().st_size
    assert size / 2 < peak < 1.2 * size


# ---- what is refused ---------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", "gptj"),
        ("scale_attn_weights", False),
        ("scale_attn_by_inverse_layer_idx", True),
        ("add_cross_attention", True),
        ("tie_word_embeddings", False),
        ("quantization_config", {"bits": 4}),
        ("activation_function", "gelu_fast"),
        ("n_layer", 10**12),
        ("n_layer", "2"),
        ("n_head", 3),
        ("n_embd", -8),
        ("vocab_size", True),
        ("n_positions", None),
        ("layer_norm_epsilon", float("nan")),
    ],
)
def test_a_config_that_is_not_honoured(changed, field, value):
    with pytest.raises(ValueError, match=r"config\.json") as caught:
        GPT2.from_pretrained(changed({field: value}))
    assert "blocks" in str(caught.value) if value == 10**12 else field in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_act", "gelu"),
        ("attention_bias", True),
        ("mlp_bias", True),
        ("rope_scaling", {"rope_type": "llama3", "factor": 8.0}),
        ("rope_parameters", {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}),
        ("rope_parameters", {"rope_theta": 1e4, "partial_rotary_factor": 0.5}),
        ("rope_parameters", "yarn"),
    ],
)
def test_a_llama_that_is_not_honoured(tmp_path, field, value):
    fields = {"model_type": "llama", field: value}
    (tmp_path / "config.json").write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=field):
        Llama.from_pretrained(tmp_path)


def _without(name):
    return lambda arrays: {k: a for k, a in arrays.items() if k != name}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (_without("transformer.h.1.mlp.c_fc.bias"), r"1 weights are missing, among them \['h.1.mlp.c_fc.bias'\]"),
        (_without("transformer.wte.weight"), "wte.weight"),
        (lambda a: a | {"transformer.h.0.attn.rotary": np.ones(3)}, "h.0.attn.rotary is not a weight"),
        (lambda a: a | {"transformer.h.7.attn.bias": np.ones(3)}, "3 blocks, config.json says 2"),
        (lambda a: a | {"wte.weight": a["transformer.wte.weight"]}, "wte.weight twice"),
        (lambda a: a | {"lm_head.weight": a["transformer.wte.weight"] + 1}, "lm_head.weight differs"),
        (lambda a: a | {"transformer.wpe.weight": np.ones((8, 9), "f4")}, r"wpe.weight has shape \(8, 9\).*\(9, 8\)"),
        (lambda a: a | {"transformer.ln_f.bias": np.ones(8, np.int32)}, "ln_f.bias has the dtype I32"),
    ],
)
def test_a_file_that_does_not_fit(changed, tensors, message):
    with pytest.raises(ValueError, match=message) as caught:
        GPT2.from_pretrained(changed(tensors=tensors))
    assert "model.safetensors" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000, '{"a": "' + "x" * 1_000_001 + '"}'])
def test_a_config_that_is_none(changed, text):
    path = changed()
    (path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        GPT2.from_pretrained(path)


@pytest.mark.slow
def test_a_pickle_is_not_opened(changed):
    path = changed()
    (path / "model.safetensors").rename(path / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"pickles and split files are not read.*pytorch_model.bin"):
        GPT2.from_pretrained(path)


@pytest.mark.slow
def test_a_truncated_file(changed):
    path = changed() / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        GPT2.from_pretrained(path.parent)

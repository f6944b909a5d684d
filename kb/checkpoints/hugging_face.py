"""Models as Hugging Face publishes them: a folder with config.json and model.safetensors. Nothing in it is run.

The config is judged first, then the names, dtypes and shapes in the file's header, and only then are numbers read. What
the names of a kind of model look like, and every exception, stands in a `Layout`, with the reason.

Source: https://huggingface.co/docs/transformers/main_classes/model#transformers.PreTrainedModel.from_pretrained
"""

import dataclasses
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kb.checkpoints.safetensors import Entry, load_file, read_header

MAX_CONFIG = 1_000_000  # bytes; real ones have about a thousand


@dataclasses.dataclass(frozen=True)
class Layout:
    """How one kind of model is published."""

    model_type: str
    prefix: str  # in front of every name when the file holds a model with a head, absent when it holds the bare one
    block: str  # a pattern: what the names of a block start with, its number included
    layers: str  # where the config says how many blocks there are
    constants: str  # a pattern of tensors that were saved though they are not weights: left out
    head: str  # the unembedding, which has no prefix
    embedding: str  # what the head is equal to where weights are tied
    fixed: Mapping[str, Any]  # settings of the config that would change the model, with the one value that kb computes
    kind: str = "model_type"  # where the config says what kind of model it is
    file: str = "model.safetensors"
    prepare: Callable[[dict], dict] = dict  # what config.json says, in the words of the config's class
    renamed: tuple[tuple[str, str], ...] = ()  # (pattern, replacement) of names that were other ones in older files


GPT2_LAYOUT = Layout(
    model_type="gpt2",
    prefix="transformer.",
    block=r"h\.\d+\.",
    layers="n_layer",
    constants=r"h\.\d+\.attn\.(bias|masked_bias)",  # the causal mask, and the -10000 of the code before 2020
    head="lm_head.weight",
    embedding="wte.weight",
    fixed={
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        "add_cross_attention": False,
        "tie_word_embeddings": True,
        "quantization_config": None,
    },
)
LLAMA_LAYOUT = Layout(
    model_type="llama",
    prefix="model.",
    block=r"layers\.\d+\.",
    layers="num_hidden_layers",
    constants=r"layers\.\d+\.self_attn\.rotary_emb\.inv_freq",  # the rates of the rotation, which rope_theta gives
    head="lm_head.weight",
    embedding="embed_tokens.weight",
    fixed={
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "rope_scaling": None,
        "quantization_config": None,
    },
)
UNET_LAYOUT = Layout(
    model_type="UNet2DConditionModel",
    prefix="",
    block=r"down_blocks\.\d+\.",
    layers="num_sizes",
    constants="",
    head="",
    embedding="",
    fixed={
        **{"center_input_sample": False, "flip_sin_to_cos": True, "freq_shift": 0, "downsample_padding": 1},
        **{"only_cross_attention": False, "mid_block_only_cross_attention": None, "dual_cross_attention": False},
        **{"act_fn": "silu", "mid_block_scale_factor": 1, "resnet_out_scale_factor": 1},
        **{"resnet_time_scale_shift": "default", "resnet_skip_time_act": False, "attention_type": "default"},
        **{"reverse_transformer_layers_per_block": None, "num_attention_heads": None, "cross_attention_norm": None},
        **{"encoder_hid_dim": None, "encoder_hid_dim_type": None, "class_embed_type": None},
        **{"addition_embed_type": None, "class_embeddings_concat": False, "conv_in_kernel": 3, "conv_out_kernel": 3},
        **{"time_embedding_type": "positional", "time_embedding_dim": None, "time_embedding_act_fn": None},
        **{"timestep_post_act": None, "time_cond_proj_dim": None, "quantization_config": None},
    },
    kind="_class_name",
    file="diffusion_pytorch_model.safetensors",
)


def load_pretrained(folder: str | os.PathLike[str], config_class: type, layout: Layout) -> tuple[Any, dict]:
    """The config, an object of `config_class`, and the weights, a dict of the names that its `shapes()` gives.

    A float16 or bfloat16 weight becomes float32, exactly. At no time is more memory taken than the file has bytes, or
    twice that where it holds such weights.

    Raises ValueError, naming the file and the reason, for a setting that kb does not compute, and for a tensor that is
    missing, unknown, of the wrong shape or not made of real numbers; FileNotFoundError where there is no such file.
    """
    config = _config(Path(folder) / "config.json", config_class, layout)
    path = Path(folder) / layout.file
    if not path.exists():
        others = sorted(p.name for p in Path(folder).glob("*") if p.suffix in {".bin", ".json", ".safetensors", ".pt"})
        raise FileNotFoundError(f"{path} is missing (pickles and split files are not read); the folder has {others}")
    tensors = read_header(path).tensors
    found = {name: _todays_name(name, layout) for name in tensors}
    _check(path, tensors, found, config, layout)
    return config, _weights(path, found, config.shapes(), layout)


# ---- config.json -------------------------------------------------------------------------------------------------
def _config(path, config_class, layout):
    fields = read_json(path)
    if fields.get(layout.kind) != layout.model_type:
        raise ValueError(f"{path}: {layout.kind} is {fields.get(layout.kind)!r}, expected {layout.model_type!r}")
    fields = _with_rope_theta(path, fields)
    for name, value in layout.fixed.items():
        if fields.get(name, value) != value:
            raise ValueError(f"{path}: {name} is {fields[name]!r}; kb computes the model with {value!r} only")
    try:
        return config_from(config_class, layout.prepare(fields))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def config_from(config_class: type, fields: Any) -> Any:
    """A config made of those fields that its class has; what the fields do not say is the class's default.

    Raises ValueError for fields that are not a dict, and as the class does.
    """
    if not isinstance(fields, dict):
        raise ValueError(f"{config_class.__name__}: expected a JSON object, found {type(fields).__name__}")
    return config_class(**{f.name: fields[f.name] for f in dataclasses.fields(config_class) if f.name in fields})


def read_json(path: str | os.PathLike[str], most: int = MAX_CONFIG) -> dict[str, Any]:
    """The JSON object in a file. Raises ValueError, with the file, for anything else and for more than `most` bytes."""
    with open(path, "rb") as file:
        text = file.read(most + 1)
    if len(text) > most:
        raise ValueError(f"{path}: more than {most} bytes, which no config has")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(fields).__name__}")
    return fields


def _with_rope_theta(path, fields):
    """Since version 5 rope_theta stands inside rope_parameters, beside the kind of rotation."""
    rope = fields.get("rope_parameters")
    if rope is None:
        return fields
    kind = rope.get("rope_type", "default") if isinstance(rope, dict) else rope
    if kind != "default" or not set(rope) <= {"rope_type", "rope_theta"}:
        raise ValueError(f"{path}: rope_parameters is {rope!r}; kb computes the rope_type 'default' only")
    return {**fields, **{name: rope[name] for name in ("rope_theta",) if name in rope}}


def check_fields(config: Any) -> None:
    """Raises ValueError for a size that is not a whole number above 0, a nan, and a setting of the wrong type."""
    for field in dataclasses.fields(config):
        value, kind = getattr(config, field.name), field.type
        types: Any = int | float if kind is float else kind
        number = isinstance(value, int | float) and kind is not bool
        if not isinstance(value, types) or (number and (isinstance(value, bool) or not 0 < value < math.inf)):
            raise ValueError(f"{type(config).__name__}: {field.name} is {value!r}")


def check_divides(config: Any, parts: str, whole: str) -> None:
    """Raises ValueError where one size is not a multiple of another."""
    if getattr(config, whole) % getattr(config, parts):
        shown = f"{parts} = {getattr(config, parts)} does not divide {whole} = {getattr(config, whole)}"
        raise ValueError(f"{type(config).__name__}: {shown}")


def with_biases(weights):
    """The shapes of weights and biases of parts that have both: a bias has one number per output."""
    return {
        f"{name}.{kind}": shape if kind == "weight" else shape[:1]
        for name, shape in weights.items()
        for kind in ("weight", "bias")
    }


# ---- model.safetensors -------------------------------------------------------------------------------------------
def _check(path, tensors: dict[str, Entry], found, config, layout):
    """The names, shapes and dtypes in the header, against the config: nothing has been read yet."""
    blocks = {start[0] for name in found.values() if (start := re.match(layout.block, name))}
    if len(blocks) != getattr(config, layout.layers):  # before the names of a billion layers are made up
        raise ValueError(f"{path}: has {len(blocks)} blocks, config.json says {getattr(config, layout.layers)}")
    expected = config.shapes()
    shapes: dict[str, tuple] = {}
    for full, name in found.items():
        if _left_out(name, expected, layout):
            continue
        if name in shapes:
            raise ValueError(f"{path}: has {name} twice, under two names")
        shapes[name] = tensors[full].shape
        if name not in expected:
            raise ValueError(f"{path}: {full} is not a weight of this model")
        if tensors[full].dtype not in ("F64", "F32", "F16", "BF16"):
            raise ValueError(f"{path}: {full} has the dtype {tensors[full].dtype}, expected real numbers")
        if shapes[name] != expected[name]:
            raise ValueError(f"{path}: {full} has shape {shapes[name]}, config.json makes it {expected[name]}")
    if missing := [name for name in expected if name not in shapes]:
        raise ValueError(f"{path}: {len(missing)} weights are missing, among them {missing[:3]}")


def _todays_name(name, layout):
    name = name.removeprefix(layout.prefix)
    for old, new in layout.renamed:
        name = re.sub(old, new, name)
    return name


def _left_out(name, expected, layout):
    """Constants, and the head where it is only a second copy of the embedding."""
    return bool(re.fullmatch(layout.constants, name)) or (name == layout.head and name not in expected)


def _weights(path, found, expected, layout):
    arrays = {found[full]: array for full, array in load_file(path).items()}
    head = arrays.get(layout.head)
    if head is not None and layout.head not in expected and not np.array_equal(head, arrays[layout.embedding]):
        raise ValueError(f"{path}: {layout.head} differs from {layout.embedding}, config.json says that they are one")
    return {name: _widened(arrays.pop(name)) for name in expected}


def _widened(array):
    return array.astype(np.float32) if array.dtype.itemsize < 4 else array

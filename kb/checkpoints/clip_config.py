"""The sizes of a CLIP, with the names of its config.json, and the names and shapes of its weights.

Source: https://huggingface.co/openai/clip-vit-base-patch32; Radford et al. 2021, "Learning transferable visual models
from natural language supervision", https://arxiv.org/abs/2103.00020
"""

import dataclasses
from dataclasses import dataclass, field

from kb.checkpoints.hugging_face import Layout, check_divides, check_fields, config_from, with_biases

HIDDEN_ACTS = ("quick_gelu", "gelu")  # of OpenAI's checkpoints, and of the open ones


@dataclass(frozen=True)
class CLIPTextConfig:
    """The sizes of the text tower, with the names of its config.json; the defaults are those of CLIP ViT-B/32.

    The weights of a tower alone have their published names without the leading `text_model.` or `vision_model.`.
    """

    vocab_size: int = 49408
    hidden_size: int = 512
    intermediate_size: int = 2048
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    max_position_embeddings: int = 77  # the longest text
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    eos_token_id: int = 49407  # the token at which a text is read off

    def __post_init__(self):
        _check_tower(self)

    def shapes(self):
        """The shape of each weight by its published name."""
        d = self.hidden_size
        names = {"token_embedding": self.vocab_size, "position_embedding": self.max_position_embeddings}
        first = {f"embeddings.{name}.weight": (count, d) for name, count in names.items()}
        return first | _layers(self) | with_biases({"final_layer_norm": (d,)})


@dataclass(frozen=True)
class CLIPVisionConfig:
    """The sizes of the image tower, with the names of its config.json; the defaults are those of CLIP ViT-B/32."""

    image_size: int = 224
    patch_size: int = 32
    num_channels: int = 3
    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5

    def __post_init__(self):
        _check_tower(self)
        check_divides(self, "patch_size", "image_size")

    def tokens(self):
        """The length of the sequence: a token per patch, and the class token."""
        return (self.image_size // self.patch_size) ** 2 + 1

    def shapes(self):
        """The shape of each weight by its published name. (`pre_layrnorm` is spelt so in all checkpoints.)"""
        d, p = self.hidden_size, self.patch_size
        first: dict[str, tuple] = {
            "class_embedding": (d,),
            "patch_embedding.weight": (d, self.num_channels, p, p),  # without a bias, unlike in a ViT
            "position_embedding.weight": (self.tokens(), d),
        }
        first = {f"embeddings.{name}": shape for name, shape in first.items()}
        return first | _layers(self) | with_biases({"pre_layrnorm": (d,), "post_layernorm": (d,)})


@dataclass(frozen=True)
class CLIPConfig:
    """The sizes of both towers and of the space that they share; the defaults are CLIP ViT-B/32."""

    text_config: CLIPTextConfig = field(default_factory=CLIPTextConfig)
    vision_config: CLIPVisionConfig = field(default_factory=CLIPVisionConfig)
    projection_dim: int = 512  # width of the shared space

    def __post_init__(self):
        check_fields(self)

    @property
    def depth(self):
        """How many blocks the two towers have together."""
        return self.text_config.num_hidden_layers + self.vision_config.num_hidden_layers

    def shapes(self):
        """The shape of each weight by its published name."""
        text, vision, k = self.text_config, self.vision_config, self.projection_dim
        towers = {f"text_model.{name}": shape for name, shape in text.shapes().items()}
        towers |= {f"vision_model.{name}": shape for name, shape in vision.shapes().items()}
        projections = {"text_projection.weight": (k, text.hidden_size)}
        projections |= {"visual_projection.weight": (k, vision.hidden_size)}
        return {"logit_scale": ()} | towers | projections


def _check_tower(config):
    check_fields(config)
    check_divides(config, "num_attention_heads", "hidden_size")
    if config.hidden_act not in HIDDEN_ACTS:
        name = type(config).__name__
        raise ValueError(f"{name}: hidden_act {config.hidden_act!r} is not in {[*HIDDEN_ACTS]}")


def _layers(config):
    d, m = config.hidden_size, config.intermediate_size
    block: dict[str, tuple] = {f"self_attn.{name}_proj": (d, d) for name in ("k", "v", "q", "out")}
    block |= {"layer_norm1": (d,), "mlp.fc1": (m, d), "mlp.fc2": (d, m), "layer_norm2": (d,)}
    parts = with_biases(block)
    return {f"encoder.layers.{i}.{n}": s for i in range(config.num_hidden_layers) for n, s in parts.items()}


# ---- as published --------------------------------------------------------------------------------------------------
def _towers(fields):
    """config.json has a config in the config for each tower."""
    kinds = {"text_config": CLIPTextConfig, "vision_config": CLIPVisionConfig}
    return {**fields, **{name: config_from(kind, fields[name]) for name, kind in kinds.items() if name in fields}}


CLIP_LAYOUT = Layout(
    model_type="clip",
    prefix="",
    block=r"(text|vision)_model\.encoder\.layers\.\d+\.",
    layers="depth",
    constants=r"(text|vision)_model\.embeddings\.position_ids",  # 0, 1, 2, …: saved until 2023
    head="",
    embedding="",
    fixed={"quantization_config": None},
    prepare=_towers,
)
CLIP_TEXT_LAYOUT = dataclasses.replace(
    CLIP_LAYOUT,
    model_type="clip_text_model",
    prefix="text_model.",
    block=r"encoder\.layers\.\d+\.",
    layers="num_hidden_layers",
    constants=r"embeddings\.position_ids",
    prepare=dict,
)

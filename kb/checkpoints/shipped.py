"""The small networks that the project trained itself (`make train`) and ships, as flat dicts of weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from kb.architecture.tokenization import Tokenizer
from kb.architecture.transformer import GPT2, GPTConfig
from kb.checkpoints.clip_config import CLIPConfig, CLIPTextConfig, CLIPVisionConfig
from kb.checkpoints.safetensors import load_file, read_header
from kb.data.captions import WordTokenizer
from kb.generation.clip import CLIP, CLIPText, tower_of
from kb.generation.text_to_image import TextToImage
from kb.generation.unet import UNet, UNetConfig
from kb.generation.variational_autoencoder import VAE, VAEConfig
from kb.generation.vision_transformer import ViT, ViTConfig

FOLDER = Path(__file__).parent.parent / "data" / "weights"


def digits_mlp() -> dict[str, np.ndarray]:
    """The 784-16-16-10 network of sigmoids, trained with squared error on the digits interpolated to 28 x 28.

    float32, named as torch's nn.Sequential names them: "0.weight" (16, 784), "0.bias" (16), "2.weight", ...
    """
    return load_file(FOLDER / "digits_mlp.safetensors")


def digits_mlp_facts() -> dict[str, str]:
    """What was written down when it was trained: seed, sizes, held-out accuracy."""
    return dict(read_header(FOLDER / "digits_mlp.safetensors").metadata)


def digits_cnn() -> dict[str, np.ndarray]:
    """A small convolutional network, trained with cross-entropy on the digits of 8 x 8 pixels, moved at random.

    float32, named as torch's nn.Sequential names them: "0.weight" (8, 1, 3, 3), "2.weight" (16, 8, 3, 3), "6.weight"
    (10, 256), and their biases.
    """
    return load_file(FOLDER / "digits_cnn.safetensors")


def digits_cnn_facts() -> dict[str, str]:
    """What was written down when it was trained: seed, steps, held-out accuracy."""
    return dict(read_header(FOLDER / "digits_cnn.safetensors").metadata)


def digits_dense() -> dict[str, np.ndarray]:
    """A dense network of about as many parameters as `digits_cnn`, 64-50-10 with ReLU, trained in the same way."""
    return load_file(FOLDER / "digits_dense.safetensors")


def digits_vit() -> ViT:
    """A small vision transformer, trained on the digits of 8 x 8 pixels as 16 patches of 2 x 2.

    float32, with the published names: "embeddings.cls_token" (1, 1, 32), ..., "classifier.weight" (10, 32).
    """
    path = FOLDER / "digits_vit.safetensors"
    return ViT(ViTConfig(**json.loads(read_header(path).metadata["config"])), load_file(path))


def digits_vit_facts() -> dict[str, Any]:
    """What was written down when it was trained: sizes, seed, steps, held-out accuracy with and without positions."""
    return {k: json.loads(v) for k, v in read_header(FOLDER / "digits_vit.safetensors").metadata.items()}


def digits_vae() -> VAE:
    """The autoencoder of the digits of 16 x 16 pixels, from -1, paper, to 1, ink; a code is 4 numbers at 4 x 4 places.

    float32, with diffusers' names: "encoder.conv_in.weight" (16, 1, 3, 3), ..., "quant_conv.weight" (8, 8, 1, 1).
    """
    path = FOLDER / "digits_vae.safetensors"
    return VAE(VAEConfig(**json.loads(read_header(path).metadata["config"])), load_file(path))


def digits_vae_facts() -> dict[str, Any]:
    """What was written down when it was trained: seed, steps, the width of its normal distribution, held-out errors."""
    return json.loads(read_header(FOLDER / "digits_vae.safetensors").metadata["facts"])


def digits_clip() -> CLIP:
    """A small CLIP of the digits of 16 x 16 pixels, from -1, paper, to 1, ink, and the sentences of kb.data.captions.

    float32 (stored as float16), with the published names: "text_model.embeddings.token_embedding.weight" (28, 64), ...
    Its texts are the tokens of kb.data.captions.WordTokenizer, 12 of them; the shared space has 32 dimensions.
    """
    path = FOLDER / "digits_clip.safetensors"
    sizes = json.loads(read_header(path).metadata["config"])
    towers = CLIPTextConfig(**sizes["text_config"]), CLIPVisionConfig(**sizes["vision_config"])
    weights = {name: weight.astype(np.float32) for name, weight in load_file(path).items()}
    return CLIP(CLIPConfig(*towers, sizes["projection_dim"]), weights)


def digits_clip_facts() -> dict[str, Any]:
    """What was written down when it was trained: seed, steps, size of a batch, what the held-out digits say."""
    return json.loads(read_header(FOLDER / "digits_clip.safetensors").metadata["facts"])


def digits_guided() -> dict[str, np.ndarray]:
    """A noise predictor for digits of 8 x 8 pixels that hears which digit is asked for, trained with prompt dropout.

    float32 (stored as float16), for `conditional_mlp` of kb.generation.classifier_free_guidance: "in.weight"
    (256, 64), ..., "class.weight" (11, 512), whose last row is the empty prompt. Grey values are from -1 to 1.
    """
    weights = load_file(FOLDER / "digits_guided.safetensors")
    return {name: weight.astype(np.float32) for name, weight in weights.items()}


def digits_text_encoder() -> CLIPText:
    """The text tower of `digits_clip` alone: token ids of a WordTokenizer in, a vector per token out."""
    clip = digits_clip()
    return CLIPText(clip.config.text_config, tower_of(clip.params, "text_model."))


def digits_unet() -> UNet:
    """A U-Net that names the noise in scaled codes of `digits_vae`, 4 x 4 x 4, and reads a prompt, or an empty one.

    float32 (stored as float16), with diffusers' names: "conv_in.weight" (32, 4, 3, 3), ... Its prompts are the vectors
    of `digits_text_encoder`, 12 of 64 numbers; its noise schedule is Stable Diffusion's.
    """
    path = FOLDER / "digits_unet.safetensors"
    weights = {name: weight.astype(np.float32) for name, weight in load_file(path).items()}
    return UNet(UNetConfig(**json.loads(read_header(path).metadata["config"])), weights)


def digits_text_to_image() -> TextToImage:
    """All parts together: it draws a digit of 16 x 16 pixels from a sentence such as "a photo of a thick three"."""
    return TextToImage(WordTokenizer(), digits_text_encoder(), digits_unet(), digits_vae())


def gpt_tales() -> tuple[GPT2, Tokenizer]:
    """A small GPT that writes little stories, trained in NumPy on kb.data.tales, and its tokenizer.

    float32, with GPT-2's names: "wte.weight" (896, 96), ..., "h.0.attn.c_attn.weight" (96, 288), ... Each story that
    it learned from began with the tokenizer's special token <|endoftext|>.
    """
    path = FOLDER / "gpt_tales.safetensors"
    metadata = read_header(path).metadata
    merges = [(left.encode("latin-1"), right.encode("latin-1")) for left, right in json.loads(metadata["merges"])]
    config = GPTConfig(**json.loads(metadata["config"]))
    return GPT2(config, load_file(path)), Tokenizer(merges, "<|endoftext|>")


def gpt_tales_facts() -> dict[str, Any]:
    """What was written down when it was trained: seed, steps, seconds, sizes, held-out loss."""
    metadata = read_header(FOLDER / "gpt_tales.safetensors").metadata
    return {name: json.loads(text) for name, text in metadata.items() if name != "merges"}

"""The GPT that was trained here, with its weights rounded to few bits: how much it gets worse, how small it becomes.

Every matrix is rounded, the embeddings too; biases and the scales of the norms stay as they are. GPT-2 stores four of
its matrices as (in, out): they are turned, so that a row is always what one output neuron reads.
"""

import functools

import numpy as np

from kb.architecture.quantization import dequantize, quantize, round_to_bf16, round_to_fp16
from kb.architecture.transformer import gpt
from kb.checkpoints import shipped
from kb.data.tales import train_and_held_out
from kb.foundations.softmax import log_softmax

TURNED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
STORIES = 10
gpt_tales = functools.cache(shipped.gpt_tales)


@functools.cache
def stories():
    """Token ids of held-out stories, (b, t): each from its beginning to its end, then filled up with the end token."""
    tokenizer = gpt_tales()[1]
    end = tokenizer.vocab[tokenizer.special[0]]
    texts = [[end, *tokenizer.encode(one.text), end] for one in train_and_held_out()[1][:STORIES]]
    length = max(map(len, texts))
    told = np.array([np.arange(length) < len(text) for text in texts])
    return np.array([text + [end] * (length - len(text)) for text in texts]), told


def loss_of(params):
    """The mean surprise per token of the held-out stories, in nats."""
    ids, told = stories()
    scores = log_softmax(gpt(params, ids[:, :-1], gpt_tales()[0].config))
    surprise = -np.take_along_axis(scores, ids[:, 1:, None], axis=-1)[..., 0]
    return float(np.mean(surprise[told[:, 1:]]))


def each_matrix(round_one):
    """The trained weights, with `round_one` applied to every matrix, a row for each output."""
    rounded = {}
    for name, weight in gpt_tales()[0].params.items():
        if weight.ndim == 2:
            weight = round_one(weight.T).T if name.endswith(TURNED) else round_one(weight)
        rounded[name] = weight
    return rounded


@functools.cache
def gpt_loss(bits=32, per="channel", symmetric=True):
    """Of the model whose matrices are kept as codes; 32 bits: as it was trained."""
    if bits == 32:
        return loss_of(gpt_tales()[0].params)
    return loss_of(each_matrix(lambda weight: dequantize(*quantize(weight, bits, per, symmetric))))


@functools.cache
def gpt_loss_in_half_precision(name):
    """Of the model whose matrices are rounded to "bf16" or "fp16"."""
    return loss_of(each_matrix({"bf16": round_to_bf16, "fp16": round_to_fp16}[name]))


@functools.cache
def gpt_kilobytes(bits=32, per="channel"):
    """What the whole model takes up: codes, scales of 16 bits, and the rest in 32 bits."""
    size = 0.0
    for name, weight in gpt_tales()[0].params.items():
        if weight.ndim < 2 or bits == 32:
            size += weight.nbytes
        else:
            codes, scale, _ = quantize(weight.T if name.endswith(TURNED) else weight, bits, per)
            size += codes.size * bits / 8 + 2 * scale.size
    return size / 1000

"""The GPT that was trained here, with its weights rounded to few bits: how much it gets worse, how small it becomes.

Every matrix is rounded, the embeddings too; biases and the scales of the norms stay as they are. GPT-2 stores four of
its matrices as (in, out): they are turned, so that a row is always what one output neuron reads.
"""

import functools

import numpy as np

from kb.architecture.quantization import bits_per_weight, dequantize, quantize, round_to_bf16, round_to_fp16
from kb.architecture.transformer import gpt
from kb.checkpoints.shipped import gpt_tales
from kb.data.tales import train_and_held_out
from kb.foundations.softmax import log_softmax

TURNED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
STORIES = 16


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
def loss(bits=32, per="channel", symmetric=True):
    """Of the model whose matrices are kept as codes; 32 bits: as it was trained."""
    if bits == 32:
        return loss_of(gpt_tales()[0].params)
    return loss_of(each_matrix(lambda weight: dequantize(*quantize(weight, bits, per, symmetric))))


@functools.cache
def loss_in_half_precision(name):
    """Of the model whose matrices are rounded to "bf16" or "fp16"."""
    return loss_of(each_matrix({"bf16": round_to_bf16, "fp16": round_to_fp16}[name]))


@functools.cache
def relative_error(bits, per, symmetric=True):
    """How far the rounded matrices are from the trained ones, as a share of their length."""
    rounded, params = each_matrix(lambda w: dequantize(*quantize(w, bits, per, symmetric))), gpt_tales()[0].params
    wrong = sum(np.sum((rounded[name] - weight) ** 2) for name, weight in params.items())
    return float(np.sqrt(wrong / sum(np.sum(w * w) for w in params.values() if w.ndim == 2)))


def kilobytes(bits=32, group=None):
    """What the whole model takes up: codes and a scale of 16 bits for each group of weights; the rest in 32 bits."""
    sizes = {name: weight.size for name, weight in gpt_tales()[0].params.items()}
    matrices = sum(size for name, size in sizes.items() if gpt_tales()[0].params[name].ndim == 2)
    per_weight = bits_per_weight(bits, group) if group else bits
    return (matrices * per_weight + (sum(sizes.values()) - matrices) * 32) / 8 / 1000

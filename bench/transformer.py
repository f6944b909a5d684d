"""GPT-2 small on random weights: one pass, generation with and without the cache, against `transformers`; training."""

import functools
import time

import numpy as np
import torch

from bench.timing import Row
from bench.training import AtItsBest, alone, numpy_at_its_best, torch_threads
from kb.architecture.kv_cache import KVCache, generate
from kb.architecture.transformer import GPT2, GPTConfig, gpt, init_gpt
from kb.autograd.tensor import value_and_grad
from kb.learning.cost_function import cross_entropy
from kb.learning.optimizers import AdamW
from kb.torch.architecture import transformer as twin

SMALL = GPTConfig()
TRAINED = GPTConfig(vocab_size=512, n_positions=64, n_embd=128, n_layer=4, n_head=4)
PROMPT, NEW = 64, 64
BATCH = 16


def rows():
    """One pass and 64 new tokens of GPT-2 small; prefill against decode; the next token of a long text; training."""
    sizes = "GPT-2 small, random weights"
    return [
        row("gpt2_forward", f"{sizes}: forward, 128 tokens", "transformers", forward, their_forward, 1.7),
        row(
            "generate_cache",
            f"{sizes}: {NEW} tokens after {PROMPT}, cache",
            "a loop around the model",
            cached,
            uncached,
            0.12,
        ),
        row("generate_transformers", "the same", "transformers, its cache", cached, their_generation, 0.8),
        row("prefill_decode", f"{sizes}: reading {NEW} tokens in one pass", "one by one", prefill, decode),
        row("next_cached", "next token of 1,024, with the cache", "of 256", *next_tokens(True)),
        row("next_uncached", "next token of 1,024, without", "of 256", *next_tokens(False)),
        row("gpt_step", "training step of a GPT, 4 layers of 128, 16 texts of 64", "torch eager", step, torch_step, 3),
    ]


def row(key, work, peer, ours, theirs, at_most=None):
    threads = torch_threads if theirs in (their_forward, their_generation, torch_step) else None
    ours = numpy_at_its_best(ours)
    theirs = AtItsBest(theirs, threads) if threads else numpy_at_its_best(theirs)
    long = key.startswith(("gpt2", "generate", "prefill"))
    ours, theirs = (Seldom(side.make, side.threads) if long else side for side in (ours, theirs))
    return Row(key, work, peer, ours, theirs, at_most, seldom if long else alone)


class Seldom(AtItsBest):
    """Work of seconds: tried once per number of threads, which also warms it up, and then run three times in all."""

    @functools.cached_property
    def count(self):
        return min((1, 2), key=self.once)

    @functools.cached_property
    def times(self):
        return []

    def once(self, count):
        with self.threads(count):
            time.sleep(0.02)
            start = time.perf_counter()
            self.step()
            return time.perf_counter() - start

    def __call__(self):
        return self.count


def seldom(work):
    """The time of one call; from the fourth call on the least of the first three, which met the least noise."""
    if len(work.times) < 3:
        work.times.append(work.once(work.count))
        return work.times[-1]
    return min(work.times)


# ---- GPT-2 small -------------------------------------------------------------------------------------------------
@functools.cache
def small():
    """The model; its numbers repeat after a million, which no multiplication notices."""
    noise = 0.02 * np.random.default_rng(0).standard_normal(1_000_003, dtype=np.float32)
    params = {name: np.resize(noise, shape) for name, shape in SMALL.shapes().items()}
    norms = {name: np.ones_like(p) for name, p in params.items() if "ln_" in name and name.endswith("weight")}
    return GPT2(SMALL, params | norms)


@functools.cache
def peer():
    """The same weights, in the same memory, in the model of transformers."""
    import transformers

    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config())
    state = {f"transformer.{name}": torch.from_numpy(p) for name, p in small().params.items()}
    model.load_state_dict({**state, "lm_head.weight": state["transformer.wte.weight"]}, strict=True, assign=True)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def text(length):
    return np.random.default_rng(1).integers(0, SMALL.vocab_size, (1, length))


def forward():
    return functools.partial(small(), text(128))


def their_forward():
    model, ids = peer(), torch.from_numpy(text(128))
    return torch.no_grad()(lambda: model(ids))


def cached():
    return lambda: generate(small(), text(PROMPT), NEW)


def uncached():
    """The plain loop around the model that one writes first."""

    def loop():
        ids = text(PROMPT)
        for _ in range(NEW):
            ids = np.concatenate([ids, small()(ids)[:, -1:].argmax(-1)], axis=1)

    return loop


def their_generation():
    model, ids = peer(), torch.from_numpy(text(PROMPT))
    return lambda: model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False)


def prefill():
    return lambda: small()(text(NEW), KVCache(NEW), 1)


def decode():
    def one_by_one():
        cache = KVCache(NEW)
        for i in range(NEW):
            small()(text(NEW)[:, i : i + 1], cache, 1)

    return one_by_one


# ---- a smaller one -----------------------------------------------------------------------------------------------
def next_tokens(use_cache):
    """The work for one more token behind a text of 1,024, and of 256: 4 layers of 256, 4 heads."""
    return [functools.partial(next_token, use_cache, length) for length in (1024, 256)]


def next_token(use_cache, length):
    config = GPTConfig(vocab_size=512, n_embd=256, n_layer=4, n_head=4)
    model = GPT2(config, init_gpt(config, np.random.default_rng(0)))
    ids = text(length) % config.vocab_size
    if not use_cache:
        return lambda: model(ids, None, 1)
    cache = KVCache(length)
    model(ids[:, :-1], cache, 1)
    full = list(cache.layers)

    def step():
        cache.layers = list(full)  # forgets the token again
        return model(ids[:, -1:], cache, 1)

    return step


def batch():
    ids = np.random.default_rng(2).integers(0, TRAINED.vocab_size, (BATCH, TRAINED.n_positions + 1))
    return ids[:, :-1], ids[:, 1:]


def step():
    """A step of AdamW on the gradient that kb's own graph finds."""
    ids, target = batch()
    optimizer = AdamW(init_gpt(TRAINED, np.random.default_rng(0)), lr=1e-3)
    graph = value_and_grad(loss)
    return lambda: optimizer.step(graph(optimizer.params, ids, target)[1])


def loss(params, ids, target):
    logits = gpt(params, ids, TRAINED)
    return cross_entropy(np.reshape(logits, (-1, TRAINED.vocab_size)), np.reshape(target, -1))


def torch_step():
    """The same in torch, as its tutorials write it."""
    ids, target = (torch.from_numpy(array) for array in batch())
    model = twin.GPT2(TRAINED)
    model.load_state_dict(twin.init_gpt(TRAINED, np.random.default_rng(0)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), target.flatten()).backward()
        optimizer.step()

    return step

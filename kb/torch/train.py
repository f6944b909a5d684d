"""Trains a GPT: `python -m kb.torch.train --out run`, on one process or, unchanged, on many:

    torchrun --standalone --nproc-per-node 2 -m kb.torch.train --out run

Each process holds the whole model and takes its rows of the batch; DistributedDataParallel averages the gradients (gloo
between CPUs, nccl between GPUs). Which windows of the text a step sees follows from the seed and the number of the step
alone. So the number of processes does not change the curve, apart from rounding, and a run that was killed and started
again with --resume goes on as if nothing had happened, to the last bit.

Into the folder --out go log.jsonl (a line per step), checkpoint.safetensors, and at the end model.safetensors,
config.json, vocab.json and merges.txt, as published models have them.
"""

import argparse
import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from kb.architecture.tokenization import Tokenizer, train_bpe
from kb.architecture.transformer import GPTConfig
from kb.checkpoints.files import atomic_write
from kb.checkpoints.safetensors import save_file
from kb.data.progress import show
from kb.data.tales import tales
from kb.learning.optimizers import warmup_cosine
from kb.torch import checkpoint
from kb.torch.architecture.transformer import GPT2, init_gpt
from kb.torch.workers import join

MAY_CHANGE = {"out", "resume", "device", "accumulate", "checkpoint_every", "eval_every", "eval_windows"}  # on --resume


# ---- what to do --------------------------------------------------------------------------------------------------
def option(default, text):
    """A field of Settings, and what --help says of it."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a run does; each field is an option of the command line."""

    out: str = option("", "folder for the log, the checkpoint and the trained model; all processes must see it")
    text: str = option("", "UTF-8 file to train on; without one, the tales that the project tells itself")
    tales: int = option(300_000, "how many bytes of tales")
    merges: int = option(0, "merges of the byte-pair tokenizer, learned from the text; 0: tokens are bytes")
    held_out: float = option(0.1, "share of the text, its end, that is only used to measure")
    n_layer: int = option(4, "blocks")
    n_head: int = option(4, "attention heads per block")
    n_embd: int = option(128, "width")
    n_positions: int = option(64, "tokens per window")
    batch_size: int = option(32, "windows per step, over all processes")
    accumulate: int = option(1, "parts in which a process takes its share of the batch, to save memory")
    steps: int = option(1000, "steps of the optimiser")
    lr: float = option(1e-3, "highest learning rate, reached after the warm-up; from there down along a cosine")
    lr_min: float = option(1e-4, "learning rate at the end")
    warmup: int = option(100, "steps of warm-up")
    weight_decay: float = option(0.1, "of AdamW, for matrices only")
    beta2: float = option(0.95, "of AdamW")
    clip: float = option(1.0, "largest length of the gradient")
    seed: int = option(0, "of the first weights and of the windows")
    device: str = option("", "cpu, cuda or mps; without it, the best there is")
    bf16: bool = option(False, "matrix products in bfloat16 (autocast)")
    checkpoint_every: int = option(100, "steps between checkpoints; 0: none")
    eval_every: int = option(100, "steps between measurements on the held-out text; 0: none")
    eval_windows: int = option(64, "held-out windows measured")
    resume: bool = option(False, "go on from the checkpoint in --out, if there is one")

    def decisive(self):
        """What must not change between a run and its continuation."""
        return {name: value for name, value in asdict(self).items() if name not in MAY_CHANGE}


def parse(arguments=None):
    """The Settings of a command line. Ends the process with a message for what cannot be right."""
    parser = argparse.ArgumentParser("python -m kb.torch.train", description=__doc__.split("\n")[0])
    for f in fields(Settings):
        how = {"action": "store_true"} if f.type is bool else {"type": f.type, "default": f.default}
        text = f.metadata["help"] + ("" if f.default in ("", False) else f" ({f.default})")
        parser.add_argument(f"--{f.name.replace('_', '-')}", help=text, required=f.name == "out", **how)
    settings = Settings(**vars(parser.parse_args(arguments)))
    if not 0 <= settings.warmup < settings.steps:
        parser.error(f"--warmup {settings.warmup} must be below --steps {settings.steps}")
    return settings


# ---- the text ----------------------------------------------------------------------------------------------------
def load_text(settings):
    """The text as token numbers, and the tokenizer that made them of it."""
    text = Path(settings.text).read_text(encoding="utf-8") if settings.text else tales(settings.tales)
    tokenizer = Tokenizer(train_bpe(text, settings.merges) if settings.merges else [])
    return np.array(tokenizer.encode(text), np.int64), tokenizer


def windows(tokens, count, length, seed):
    """Random windows of a text: what is read, and the next token at every position, both (count, length)."""
    starts = np.random.default_rng(seed).integers(0, len(tokens) - length, count)
    picked = torch.from_numpy(tokens[starts[:, None] + np.arange(length + 1)])
    return picked[:, :-1], picked[:, 1:]


# ---- a step ------------------------------------------------------------------------------------------------------
def loss_of(model, x, y, bf16=False):
    """The mean cross-entropy of the next token, in nats."""
    with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
        logits = model(x)
    return F.cross_entropy(logits.flatten(0, -2).float(), y.flatten())


def gradients(model, x, y, settings):
    """Adds the gradient of this process's rows to .grad, in parts; the last backward pass averages over processes."""
    total, parts = torch.zeros((), device=x.device), settings.accumulate
    for i, (x_part, y_part) in enumerate(zip(x.chunk(parts), y.chunk(parts), strict=True)):
        alone = i < parts - 1 and isinstance(model, DistributedDataParallel)
        with model.no_sync() if alone else contextlib.nullcontext():
            loss = loss_of(model, x_part, y_part, settings.bf16) / parts
            loss.backward()
        total += loss.detach()
    return total


def step(t, model, optimizer, tokens, settings, workers):
    """One step of the optimiser; what there is to say about it."""
    rows = settings.batch_size // workers.count
    x, y = windows(tokens, settings.batch_size, settings.n_positions, (settings.seed, t))
    mine = slice(workers.rank * rows, (workers.rank + 1) * rows)
    loss = gradients(model, x[mine].to(workers.device), y[mine].to(workers.device), settings)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
    lr = warmup_cosine(t, settings.steps, settings.warmup, settings.lr, settings.lr_min)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
    optimizer.zero_grad()
    return {"step": t, "loss": workers.mean(loss), "norm": norm.item(), "lr": lr}


@torch.no_grad()
def held_out_loss(model, tokens, settings, workers):
    """The loss on fixed windows of the held-out text; each process measures all of them."""
    x, y = windows(tokens, settings.eval_windows, settings.n_positions, settings.seed)
    rows = zip(x.split(16), y.split(16), strict=True)
    losses = [loss_of(model, a.to(workers.device), b.to(workers.device), settings.bf16) * len(a) for a, b in rows]
    return (sum(losses) / len(x)).item()


# ---- a run -------------------------------------------------------------------------------------------------------
def train(settings, workers):
    """The whole run; what was logged of it, in this process."""
    tokens, tokenizer = load_text(settings)
    check(settings, workers, tokens)
    cut = len(tokens) - int(settings.held_out * len(tokens))
    sizes = {name: getattr(settings, name) for name in ("n_layer", "n_head", "n_embd", "n_positions")}
    config = GPTConfig(vocab_size=tokenizer.vocab_size, **sizes)
    torch.manual_seed(settings.seed)
    model = GPT2(config)
    model.load_state_dict(init_gpt(config, np.random.default_rng(settings.seed)))
    model.to(workers.device)
    optimizer = make_optimizer(model, settings)
    facts = {"decisive": json.dumps(settings.decisive()), "tokens": hashlib.sha256(tokens.tobytes()).hexdigest()}
    start = resume(settings, model, optimizer, facts)
    parallel = workers.wrap(model)
    with Log(settings, workers, start) as log:
        for t in range(start, settings.steps):
            line = step(t, parallel, optimizer, tokens[:cut], settings, workers)
            if _due(t + 1, settings.eval_every, settings):
                line["held_out"] = held_out_loss(model, tokens[cut:], settings, workers)
            log.write(line)
            if workers.first and _due(t + 1, settings.checkpoint_every, settings):
                checkpoint.save(_checkpoint(settings), model, optimizer, {"step": str(t + 1), **facts})
    if workers.first:
        save_model(model, tokenizer, settings)
    return log.lines


def _due(done, every, settings):
    """Whether something that happens every so many steps, and after the last one, happens now; 0: never."""
    return every and (done % every == 0 or done == settings.steps)


def check(settings, workers, tokens):
    """Raises ValueError for a batch that does not divide, and for too short a text."""
    parts = workers.count * settings.accumulate
    if settings.batch_size % parts:
        raise ValueError(f"--batch-size {settings.batch_size} must be a multiple of {parts}: processes x --accumulate")
    shortest = int(min(settings.held_out or 1, 1 - settings.held_out) * len(tokens))
    if shortest <= settings.n_positions:
        raise ValueError(f"{len(tokens)} tokens are too few for windows of {settings.n_positions} in both parts")


def make_optimizer(model, settings):
    """AdamW, which pulls matrices towards 0, but neither biases nor the scales of norms."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr, betas=(0.9, settings.beta2), fused=True)


def resume(settings, model, optimizer, facts):
    """The step to begin with: 0, or where the checkpoint was written, whose state is then put back.

    Raises ValueError when the folder has a checkpoint and --resume is not given, and when it is of another run.
    """
    path = _checkpoint(settings)
    if not path.exists():
        return 0
    if not settings.resume:
        raise ValueError(f"{path} exists: --resume goes on from it, another --out starts anew")
    found = checkpoint.facts(path)
    before, now = (json.loads(entry["decisive"]) for entry in (found, facts))
    changed = [name for name in now if before.get(name) != now[name]]
    if changed or found["tokens"] != facts["tokens"]:
        raise ValueError(f"{path} is of another run: {', '.join(changed) or 'the text'} changed")
    return int(checkpoint.load(path, model, optimizer)["step"])


class Log:
    """log.jsonl: a line per step, written by the first process and flushed at once; and the bar in the terminal."""

    def __init__(self, settings, workers, start):
        self.steps, self.file, self.lines = settings.steps, None, []
        if workers.first:
            path = Path(settings.out) / "log.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = path.read_text(encoding="utf-8").splitlines()[:start] if start else []
            with atomic_write(path) as file:  # lines after the checkpoint belong to steps that are taken again
                file.write("".join(f"{line}\n" for line in kept).encode())
            self.file = path.open("a", encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.file:
            self.file.close()

    def write(self, line):
        self.lines.append(line)
        if self.file:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
            show(f"loss {line['loss']:.3f}", line["step"] + 1, self.steps)


def save_model(model, tokenizer, settings):
    """The trained weights as published models are laid out, with the files of the tokenizer."""
    folder = Path(settings.out)
    weights = {name: p.detach().cpu().numpy() for name, p in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", {"made_by": "python -m kb.torch.train", "format": "pt"})
    with atomic_write(folder / "config.json") as file:
        file.write(json.dumps({"model_type": "gpt2", **asdict(model.config)}, indent=1).encode())
    tokenizer.to_files(folder / "vocab.json", folder / "merges.txt")


def _checkpoint(settings):
    return Path(settings.out) / "checkpoint.safetensors"


def main(arguments=None):
    settings = parse(arguments)
    with join(settings.device) as workers:
        lines = train(settings, workers)
        if workers.first and lines:
            print(
                f"{lines[-1]['step'] + 1} steps, loss {lines[0]['loss']:.3f} -> {lines[-1]['loss']:.3f}: {settings.out}"
            )


if __name__ == "__main__":
    main()

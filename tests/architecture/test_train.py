"""`python -m kb.torch.train`: two processes give the curve of one, and a killed run goes on as if it had never died."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy
import torch

from kb.architecture.tokenization import Tokenizer
from kb.architecture.transformer import GPTConfig, gpt
from kb.checkpoints.safetensors import load_file, save_file
from kb.torch import checkpoint, train
from kb.torch.architecture.transformer import GPT2
from kb.torch.workers import Workers
from sitebuild import ROOT
from training import data_parallel_training as recorded

EPS32 = float(np.finfo(np.float32).eps)
SIZES = "--tales 6000 --n-layer 1 --n-head 2 --n-embd 16 --n-positions 12 --batch-size 8 --eval-windows 16"
SHORT = f"{SIZES} --steps 12 --warmup 3 --checkpoint-every 5 --eval-every 6 --device cpu"
ONE = Workers(0, 1, torch.device("cpu"))
TORCHRUN = "-m", "torch.distributed.run", "--nnodes", "1", "--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"


def run(out, *options, arguments=SHORT):
    """What a run in this process logged."""
    train.main([*arguments.split(), "--out", str(out), *options])
    return log(out)


def log(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def losses(lines):
    return np.array([line["loss"] for line in lines])


def start(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run from start to end in one go."""
    out = tmp_path_factory.mktemp("whole")
    run(out)
    return out


# ---- one run -----------------------------------------------------------------------------------------------------
def test_it_learns_and_repeats_itself(whole, tmp_path):
    lines = log(whole)
    assert [line["step"] for line in lines] == list(range(12))
    assert abs(lines[0]["loss"] - np.log(256)) < 0.05, "at first every byte is about equally likely"
    assert lines[-1]["loss"] < lines[0]["loss"] - 0.05
    assert [line["step"] for line in lines if "held_out" in line] == [5, 11]
    run(tmp_path)
    assert (tmp_path / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()
    assert (tmp_path / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    other = run(tmp_path / "other", "--seed", "1")
    assert losses(other)[0] != losses(lines)[0]


def test_the_first_steps_are_those_of_numpy(whole):
    """kb's own GPT, differentiated by kb's own engine, clipped and stepped by kb's own AdamW, on the same windows."""
    from kb.architecture.transformer import init_gpt
    from kb.autograd.tensor import value_and_grad
    from kb.learning.cost_function import cross_entropy
    from kb.learning.optimizers import AdamW, clip_grad_norm, warmup_cosine

    settings = train.parse([*SHORT.split(), "--out", "x"])
    tokens, tokenizer = train.load_text(settings)
    tokens = tokens[: len(tokens) - int(0.1 * len(tokens))]
    config = GPTConfig(tokenizer.vocab_size, 12, 16, 1, 2)
    params = init_gpt(config, np.random.default_rng(0), "float64")

    def cost(p, x, y):
        return cross_entropy(np.swapaxes(gpt(p, x, config), 1, 2), y)

    how = {"lr": 1e-3, "betas": (0.9, 0.95)}
    decayed = AdamW({n: p for n, p in params.items() if p.ndim > 1}, weight_decay=0.1, **how)
    free = AdamW({n: p for n, p in params.items() if p.ndim == 1}, weight_decay=0.0, **how)
    for t, line in enumerate(log(whole)[:4]):
        x, y = (part.numpy() for part in train.windows(tokens, 8, 12, (0, t)))
        value, grads = value_and_grad(cost)(params, x, y)
        assert line["loss"] == pytest.approx(float(value), rel=1e-5)
        clipped, norm = clip_grad_norm(grads, 1.0)
        assert line["norm"] == pytest.approx(float(norm), rel=1e-4)
        decayed.lr = free.lr = warmup_cosine(t, 12, 3, 1e-3, 1e-4)
        params = {
            **decayed.step({n: clipped[n] for n in decayed.params}),
            **free.step({n: clipped[n] for n in free.params}),
        }


def test_accumulated_parts_walk_the_same_path(whole, tmp_path):
    """The parts are summed in another order: a few roundings per step, which 12 steps do not blow up."""
    parts = losses(run(tmp_path, "--accumulate", "4"))
    np.testing.assert_allclose(parts, losses(log(whole)), rtol=200 * EPS32)


def test_bfloat16_is_close_and_not_equal(whole, tmp_path):
    """Products in 8 bits: errors of 2^-9 per number, much smaller in the mean over 96 predictions."""
    rough, exact = losses(run(tmp_path, "--bf16")), losses(log(whole))
    assert not np.array_equal(rough, exact)
    np.testing.assert_allclose(rough, exact, rtol=2**-9)


def test_the_model_is_published_as_models_are(whole):
    config = json.loads((whole / "config.json").read_text())
    params = load_file(whole / "model.safetensors")
    model = GPT2(GPTConfig(**{n: v for n, v in config.items() if n != "model_type"}))
    model.load_state_dict({n: torch.from_numpy(p) for n, p in params.items()}, strict=True)
    ids = np.array([Tokenizer.from_files(whole / "vocab.json", whole / "merges.txt").encode("On a rainy d")])
    assert ids.shape == (1, 12), "a byte is a token"
    with torch.no_grad():
        np.testing.assert_allclose(model(torch.from_numpy(ids)), gpt(params, ids, model.config), rtol=1e-4, atol=1e-5)


def test_with_pieces_of_words(tmp_path):
    lines = run(tmp_path, "--merges", "40")
    tokenizer = Tokenizer.from_files(tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert load_file(tmp_path / "model.safetensors")["wte.weight"].shape == (tokenizer.vocab_size, 16) == (296, 16)
    assert abs(lines[0]["loss"] - np.log(296)) < 0.05


@pytest.mark.slow
def test_transformers_reads_it(whole):
    from transformers import GPT2LMHeadModel

    model = GPT2LMHeadModel.from_pretrained(whole)
    params, ids = load_file(whole / "model.safetensors"), np.arange(12)[None]
    ours = gpt(params, ids, GPTConfig(256, 12, 16, 1, 2))
    with torch.no_grad():
        np.testing.assert_allclose(ours, model(torch.from_numpy(ids)).logits, rtol=1e-4, atol=1e-5)


# ---- to go on from a checkpoint ----------------------------------------------------------------------------------
class Stopped(Exception):
    """Instead of a step."""


def until(steps, step):
    """`step`, which raises when there have been enough."""

    def counted(t, *rest):
        if t == steps:
            raise Stopped
        return step(t, *rest)

    return counted


def stopped_after(out, steps):
    """A folder as a run leaves it that was killed some steps after its last checkpoint: the log is ahead of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "step", until(steps, train.step))
        with pytest.raises(Stopped):
            run(out)
    assert len(log(out)) == steps
    return int(checkpoint.facts(out / "checkpoint.safetensors")["step"])


@pytest.mark.parametrize("steps", [5, 8, 11])
def test_a_stopped_run_goes_on_to_the_last_bit(whole, tmp_path, steps):
    assert stopped_after(tmp_path, steps) == steps // 5 * 5
    run(tmp_path, "--resume")
    for name in ("log.jsonl", "model.safetensors", "checkpoint.safetensors"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes(), name


def test_without_the_optimiser_it_would_not(whole, tmp_path):
    """The mutation: weights alone are not a checkpoint."""
    stopped_after(tmp_path, 8)
    path = tmp_path / "checkpoint.safetensors"
    state = {n: np.zeros_like(a) if ".exp_avg" in n else a for n, a in load_file(path).items()}
    save_file(state, path, checkpoint.facts(path))
    assert np.all(losses(run(tmp_path, "--resume"))[7:] != losses(log(whole))[7:])


def test_a_checkpoint_holds_plain_tensors_and_text(whole):
    """Read by the reference implementation, which knows no pickle."""
    found = safetensors.numpy.load_file(whole / "checkpoint.safetensors")
    names = load_file(whole / "model.safetensors")
    assert {n for n in found if n.startswith("model.")} == {f"model.{n}" for n in names}
    remembered = {f"optimizer.{n}.{what}" for n in names for what in ("step", "exp_avg", "exp_avg_sq")}
    assert {n for n in found if n.startswith("optimizer.")} == remembered
    assert found["rng.cpu"].dtype == np.uint8
    assert set(found) == {"rng.cpu", *remembered, *(f"model.{n}" for n in names)}
    assert checkpoint.facts(whole / "checkpoint.safetensors")["step"] == "12"


def test_the_random_state_comes_back(tmp_path):
    """For models that draw, as dropout does."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    checkpoint.save(tmp_path / "c", model, optimizer, {"step": "0"})
    drawn = torch.rand(5)
    assert checkpoint.load(tmp_path / "c", model, optimizer) == {"step": "0"}
    assert torch.equal(torch.rand(5), drawn)


@pytest.mark.slow
def test_killed_in_the_middle_and_gone_on(tmp_path):
    """SIGKILL, which no process can catch, at a moment that nobody chose; then the same log and the same weights."""
    options = f"{SIZES} --steps 300 --warmup 3 --checkpoint-every 20 --eval-every 100 --device cpu"
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start("-m", "kb.torch.train", *options.split(), "--out", str(killed))
    while not (killed / "log.jsonl").exists() or len(log_text(killed)) < 50:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert 50 <= len(log_text(killed)) < 300, "it was over before it was killed"
    run(killed, "--resume", arguments=options)
    assert len(run(whole, arguments=options)) == 300
    for name in ("log.jsonl", "model.safetensors", "checkpoint.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name


def log_text(out):
    return (out / "log.jsonl").read_text().split("\n")[:-1]  # the last line may be half written


# ---- on two processes --------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_two_processes_give_the_curve_of_one(whole, tmp_path):
    """The same script under torchrun, DistributedDataParallel over gloo; each process takes its rows in two parts."""
    command = ["-m", "kb.torch.train", *SHORT.split(), "--out", str(tmp_path), "--accumulate", "2"]
    finish(start(*TORCHRUN, "--nproc-per-node", "2", *command))
    np.testing.assert_allclose(losses(log(tmp_path)), losses(log(whole)), rtol=200 * EPS32)
    one, two = (load_file(folder / "model.safetensors") for folder in (whole, tmp_path))
    for weight in one:  # Adam divides by the size of a gradient: where that is near 0, a rounding is a step of lr
        apart = np.abs(two[weight] - one[weight])
        assert np.median(apart) < 1e-6, weight
        assert apart.max() < 12 * 1e-3, weight


# ---- what was recorded -------------------------------------------------------------------------------------------
def test_the_record_is_what_the_script_does(tmp_path):
    """The first steps of the run that the page shows, again; another machine may round differently."""
    text = tmp_path / "text"
    text.write_text(recorded.sentences())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "step", until(4, train.step))
        with pytest.raises(Stopped):
            run(tmp_path, "--text", str(text), arguments=" ".join(recorded.OPTIONS))
    np.testing.assert_allclose(losses(log(tmp_path)), recorded.curve(1)[:4], rtol=1e-4)


def test_the_record_says_what_the_page_says():
    one, two = recorded.curve(1), recorded.curve(2)
    assert len(one) == len(two) == recorded.STEPS
    assert recorded.apart().max() < 1e-4 < one[0] - one[-1]
    assert recorded.KILLED_AFTER <= recorded.killed_after() < recorded.STEPS
    assert recorded.resumed_is_one()


# ---- errors ------------------------------------------------------------------------------------------------------
def test_errors(whole, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors exists: --resume goes on"):
        run(whole)
    with pytest.raises(ValueError, match="of another run: batch_size, seed changed"):
        run(whole, "--resume", "--batch-size", "4", "--seed", "3")
    with pytest.raises(ValueError, match="--batch-size 8 must be a multiple of 3"):
        run(tmp_path, "--accumulate", "3")
    with pytest.raises(ValueError, match="tokens are too few for windows of 12 in both parts"):
        run(tmp_path, "--held-out", "0.001")
    with pytest.raises(SystemExit):
        run(tmp_path, "--warmup", "12")
    assert "--warmup 12 must be below --steps 12" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_another_text_is_another_run(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the same length " * 100)
    run(tmp_path / "out", "--text", str(text))
    text.write_text("another text !! " * 100)
    with pytest.raises(ValueError, match="of another run: the text changed"):
        run(tmp_path / "out", "--text", str(text), "--resume")


def test_a_checkpoint_of_another_model_is_refused(whole):
    model = torch.nn.Linear(3, 2)
    with pytest.raises(RuntimeError, match="wte"):
        checkpoint.load(whole / "checkpoint.safetensors", model, torch.optim.AdamW(model.parameters()))


def test_every_option_has_its_help():
    settings = train.parse(["--out", "x", "--n-layer", "7", "--bf16"])
    assert settings == replace(train.Settings(), out="x", n_layer=7, bf16=True)
    assert all(f.metadata["help"] for f in train.fields(train.Settings))


# ---- the windows -------------------------------------------------------------------------------------------------
def test_windows_are_the_text_and_what_follows_and_reach_every_place():
    tokens = np.arange(30)
    x, y = train.windows(tokens, 500, 4, (0, 7))
    assert torch.equal(y, x + 1)
    assert torch.equal(x, x[:, :1] + torch.arange(4))
    assert set(x[:, 0].tolist()) == set(range(26)), "the last window ends with the last token"
    assert not torch.equal(train.windows(tokens, 500, 4, (0, 8))[0], x)


# ---- gpu ---------------------------------------------------------------------------------------------------------
@pytest.mark.gpu
def test_on_a_gpu(whole, tmp_path):
    """The same curve in float32, nearly the same in bfloat16, and again under torchrun with nccl."""
    options = SHORT.replace("--device cpu", "--device cuda")
    exact = losses(log(whole))
    np.testing.assert_allclose(losses(run(tmp_path / "gpu", arguments=options)), exact, rtol=1e-3)
    np.testing.assert_allclose(losses(run(tmp_path / "bf16", "--bf16", arguments=options)), exact, rtol=2**-7)
    command = ["-m", "kb.torch.train", *options.split(), "--out", str(tmp_path / "nccl")]
    finish(start(*TORCHRUN, "--nproc-per-node", "1", *command))
    np.testing.assert_allclose(losses(log(tmp_path / "nccl")), exact, rtol=1e-3)

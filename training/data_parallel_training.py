"""Records that the number of processes does not change a training run: `python -m training.data_parallel_training`.

The same small GPT is trained on simple sentences by `kb.torch.train` three times: by one process; by two processes
under torchrun; and by one that is killed in the middle (SIGKILL) and started again. What the logs say goes into
training/data_parallel_training.json. It takes about a minute on two cores.
"""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("data_parallel_training.json")
STEPS, KILLED_AFTER, CHECKPOINT_EVERY, BATCH = 300, 130, 50, 16
OPTIONS = (
    f"--n-layer 2 --n-head 2 --n-embd 64 --n-positions 64 --batch-size {BATCH} --steps {STEPS} --warmup 30 --device cpu"
    f" --checkpoint-every {CHECKPOINT_EVERY} --eval-every {STEPS}"
).split()
TORCHRUN = "-m torch.distributed.run --nnodes 1 --rdzv-backend c10d --rdzv-endpoint localhost:0 --nproc-per-node 2"


# ---- the text ----------------------------------------------------------------------------------------------------
ADJECTIVES = ["big", "blue", "cold", "dark", "kind", "loud", "old", "quick", "round", "small", "tall", "young"]
NOUNS = ["bird", "boat", "cat", "door", "fox", "garden", "house", "king", "lamp", "river", "tree", "wolf"]
VERBS = ["asks", "finds", "follows", "greets", "hears", "helps", "likes", "meets", "misses", "sees", "seeks", "wants"]


def sentences(count=6000, seed=0):
    """Lines such as: The old fox meets a kind bird. Python promises never to change random.random for a seed."""
    rng = random.Random(seed)
    lists = ADJECTIVES, NOUNS, VERBS, ADJECTIVES, NOUNS
    lines = [[words[int(len(words) * rng.random())] for words in lists] for _ in range(count)]
    return "".join(f"The {a} {n} {v} a {b} {m}.\n" for a, n, v, b, m in lines)


# ---- the runs ----------------------------------------------------------------------------------------------------
def start(text, out, launcher="", options=()):
    """A run of kb.torch.train in processes of its own, on the text of a file."""
    command = [sys.executable, *launcher.split(), "-m", "kb.torch.train", *OPTIONS, *options]
    command += ["--text", str(text), "--out", str(out)]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)


def log(out):
    """What a run has logged by now; the last line may not be whole yet."""
    path = out / "log.jsonl"
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []


def finished(process, out):
    """The lines of a run that came to its end."""
    if process.wait():
        raise RuntimeError(f"the run in {out} failed")
    return log(out)


def killed(text, out, steps):
    """A run that is killed once it has logged so many steps: how many it had."""
    process = start(text, out)
    while len(log(out)) < steps:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return len(log(out))


def main():
    """Runs everything and writes PATH."""
    with tempfile.TemporaryDirectory() as folder:
        text, *out = (Path(folder) / name for name in ("text", "one", "two", "killed"))
        text.write_text(sentences(), encoding="utf-8")
        one = finished(start(text, out[0]), out[0])
        two = finished(start(text, out[1], TORCHRUN), out[1])
        steps = killed(text, out[2], KILLED_AFTER)
        resumed = finished(start(text, out[2], options=["--resume"]), out[2])
    record = {"one": losses(one), "two": losses(two), "killed_after": steps, "resumed_is_one": resumed == one}
    record["held_out"] = [json.loads(lines[-1])["held_out"] for lines in (one, two)]
    PATH.write_text(json.dumps(record) + "\n", encoding="utf-8")
    print(f"largest difference of the losses: {apart().max():.1e}; killed after {steps}, equal: {resumed == one}")


def losses(lines):
    return [json.loads(line)["loss"] for line in lines]


# ---- reading it --------------------------------------------------------------------------------------------------
@functools.cache
def read():
    """What was recorded."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def curve(processes):
    """The loss of each step with 1 or 2 processes."""
    return np.array(read()[{1: "one", 2: "two"}[processes]])


def apart():
    """By how much the loss with two processes differs from that with one, step by step."""
    return np.abs(curve(2) - curve(1))


def killed_after():
    """How many steps the run had logged when it was killed."""
    return read()["killed_after"]


def resumed_is_one():
    """Whether the run that was killed and resumed logged the same lines, to the last digit."""
    return read()["resumed_is_one"]


if __name__ == "__main__":
    main()

"""The figures of the KV cache page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.style import ARC, FG, MUTED, bare, canvas, label
from kb.architecture.kv_cache import cache_bytes, multiplications
from kb.architecture.transformer import GPTConfig

VIOLET = ARC["architecture"]
PROMPT, STEPS = 4, 5
# layers, key-value heads, width of a head
MODELS = {
    "GPT-2 small": (12, 12, 64),
    "Llama 2 70B, 8 for 64 heads": (80, 8, 128),
    "if each head had its own": (80, 64, 128),
    "GPT-3": (96, 96, 128),
}


def passes():
    """Two tables with one row per pass and one column per token; the prompt has 4 tokens. Left, without a cache: the
    first pass computes 4 tokens, the next 5, then 6, 7 and 8. Right, with a cache: the first pass, prefill, computes 4;
    each later pass, decode, computes one token and reads the others' keys and values, which are drawn as outlines."""
    fig, axes = canvas(height=2.35, columns=2)
    for ax, name in zip(axes, ("without a cache", "with a cache"), strict=True):
        bare(ax).set(xlim=(-2.4, PROMPT + STEPS - 1), ylim=(STEPS + 0.2, -1.1), aspect="equal")
        label(ax, 3.5, -0.75, name)
        for row in range(STEPS):
            fresh = PROMPT + row - 1 if row and name == "with a cache" else 0
            for column in range(PROMPT + row):
                new = column >= fresh
                face = {"fc": VIOLET, "ec": "none"} if new else {"fc": "none", "ec": MUTED, "lw": 0.7}
                ax.add_patch(Rectangle((column + 0.08, row + 0.08), 0.84, 0.84, **face))
            label(ax, -0.15, row + 0.5, f"pass {row + 1}", MUTED, ha="right", fontsize=9)
    label(axes[1], 4.4, 0.5, "prefill", VIOLET, ha="left")
    label(axes[1], 5.4, 1.5, "decode", VIOLET, ha="left")
    return fig


def work():
    """Multiplications for the next token of GPT-2 small against the tokens so far, from 1 to 1024, on logarithmic axes.
    With a cache the curve is nearly flat, from 0.12 to 0.14 billion. Without it, it climbs from 0.12 to 106 billion. A
    thin curve shows the part that is looking back, which is a straight line with the cache: 0.02 billion at 1024."""
    lengths = np.unique(np.geomspace(1, 1024, 40).astype(int))
    config = GPTConfig()
    looks = [multiplications(config, 1, n - 1) - multiplications(config, 1, -1) for n in lengths]
    fig, ax = canvas(height=2.5)
    ax.plot(lengths, [multiplications(config, int(n)) / 1e9 for n in lengths], color=FG)
    ax.plot(lengths, [multiplications(config, 1, int(n) - 1) / 1e9 for n in lengths], color=VIOLET)
    ax.plot(lengths, np.array(looks) / 1e9, color=VIOLET, lw=0.9)
    label(ax, 60, 16, "without a cache", ha="right")
    label(ax, 22, 0.27, "with a cache", VIOLET)
    label(ax, 250, 0.0005, "of which for looking back", VIOLET)
    ax.set(xscale="log", yscale="log", xlabel="tokens so far", ylabel="billion multiplications", xlim=(0.9, 1150))
    ax.set_xticks([1, 4, 16, 64, 256, 1024], ["1", "4", "16", "64", "256", "1024"])
    ax.set_yticks([1e-4, 1e-2, 1, 100], ["0.0001", "0.01", "1", "100"])
    ax.minorticks_off()
    return fig


def memory():
    """What one token takes in the cache, in float16, as bars: 37 KB in GPT-2 small, 328 KB in Llama 2 70B, whose 64
    heads share 8 keys and values, 2,621 KB in the same model if each head had its own, and 4,719 KB in GPT-3."""
    fig, ax = canvas(height=1.75)
    for row, (name, sizes) in enumerate(MODELS.items()):
        size = cache_bytes(*sizes, tokens=1, itemsize=2) / 1e3
        grey = name.startswith("if")
        ax.barh(row, size, height=0.62, color=MUTED if grey else VIOLET, alpha=0.5 if grey else 1)
        label(ax, -60, row, name, MUTED if grey else FG, ha="right")
        label(ax, size + 60, row, f"{size:,.0f} KB", ha="left")
    ax.set(xlim=(-2900, 5600), ylim=(3.5, -0.5))
    bare(ax)
    return fig

"""The figures of the GPT-3 page."""

from matplotlib.patches import Rectangle

from figures.style import ARC, BG, FG, MUTED, bare, canvas, label
from kb.architecture.gpt_3 import GPT2_SMALL, GPT3, left_out, weight_matrices

VIOLET = ARC["architecture"]
ATTENTION, MLP = ("key", "query", "value", "output"), ("up-projection", "down-projection")


def table():
    """Eight bars, one for each kind of weight matrix of GPT-3. Embedding and unembedding 617,558,016 each; key, query,
    value and output 14,495,514,624 each; up-projection and down-projection 57,982,058,496 each; in all
    175,181,291,520."""
    fig, ax = canvas(height=2.9)
    counts = weight_matrices(GPT3)
    for row, (name, n) in enumerate(counts.items()):
        ax.barh(row, n / 1e9, color=VIOLET, height=0.62)
        label(ax, -1.2, row, name, ha="right")
        label(ax, n / 1e9 + 1.0, row, f"{n:,}", VIOLET, ha="left")
    label(ax, -1.2, 8.1, "total", FG, ha="right", fontweight="bold")
    label(ax, 1.0, 8.1, f"{sum(counts.values()):,}", VIOLET, ha="left", fontweight="bold")
    ax.plot([-24, 84], [7.5, 7.5], color=MUTED, lw=0.8)
    ax.set(xlim=(-24, 84), ylim=(8.6, -0.6))
    bare(ax)
    return fig


def to_scale():
    """One block of GPT-3 to scale, one unit of area for each weight. Four squares of 12,288 by 12,288: key, query,
    value, output; a dark strip at the upper edge of each is one of its 96 heads. Two tall rectangles of 49,152 by
    12,288: up and down. Beside them, of the same width and a little taller, the embedding matrix, 50,257 by 12,288, of
    which there is one for all 96 blocks."""
    fig, ax = canvas(height=3.3)
    d, neurons, tokens = GPT3.n_embd, 4 * GPT3.n_embd, GPT3.vocab_size
    for k, name in enumerate(ATTENTION):
        x, y = (k % 2) * 1.18 * d, neurons - d - (k // 2) * 1.45 * d
        ax.add_patch(Rectangle((x, y), d, d, facecolor=VIOLET, alpha=0.25, lw=0))
        ax.plot([x, x + d], [y + d] * 2, color=VIOLET, lw=1.2, solid_capstyle="butt")  # as high as one head: d / 96
        label(ax, x + d / 2, y + d / 2, name)
    label(ax, 1.09 * d, neurons - 2.72 * d, "96 heads; a dark strip is one", MUTED, fontsize=9)
    for k, name in enumerate(MLP):
        x = (2.75 + 1.18 * k) * d
        ax.add_patch(Rectangle((x, 0), d, neurons, facecolor=VIOLET, alpha=0.85, lw=0))
        label(ax, x + d / 2, neurons / 2, name.split("-")[0], BG)
    label(ax, 3.84 * d, -0.25 * d, "49,152 neurons", MUTED, fontsize=9)
    ax.add_patch(Rectangle((5.6 * d, 0), d, tokens, facecolor=MUTED, alpha=0.25, lw=0))
    label(ax, 6.1 * d, neurons / 2, "embedding", rotation=90)
    label(ax, 6.1 * d, -0.25 * d, "50,257 tokens", MUTED, fontsize=9)
    label(ax, 2.3 * d, 1.13 * neurons, "one of 96 blocks", VIOLET)
    label(ax, 6.1 * d, 1.13 * neurons, "once", FG)
    ax.set(xlim=(-0.1 * d, 7.1 * d), ylim=(-0.5 * d, 1.22 * neurons), aspect="equal")
    bare(ax)
    return fig


def shares():
    """Where the parameters are, as shares of the whole. GPT-2 small, 124,439,808: MLPs 46 %, attention 23 %, embedding
    31 %, the rest 1 %. GPT-3, 174,604,259,328: MLPs 66 %, attention 33 %, embedding and the rest below 1 %."""
    fig, ax = canvas(height=1.9)
    for row, (name, config) in enumerate((("GPT-2 small", GPT2_SMALL), ("GPT-3", GPT3))):
        n = weight_matrices(config)
        parts = {
            "MLPs": (sum(n[k] for k in MLP), VIOLET, 0.85),
            "attention": (sum(n[k] for k in ATTENTION), VIOLET, 0.35),
            "embedding": (n["embedding"], MUTED, 0.35),
            "rest": (sum(left_out(config).values()), FG, 0.8),
        }
        whole, left = sum(count for count, _, _ in parts.values()), 0.0
        for part, (count, colour, alpha) in parts.items():
            share = count / whole
            ax.barh(row, share, left=left, color=colour, alpha=alpha, height=0.5)
            if share > 0.05:
                label(ax, left + share / 2, row, f"{part} {share:.0%}", BG if alpha == 0.85 else FG)
            left += share
        label(ax, 0, row - 0.42, f"{name}: {whole:,} parameters", ha="left", fontsize=9.5)
    ax.set(xlim=(0, 1), ylim=(1.35, -0.62))
    bare(ax)
    return fig

"""The figures of the tokenization page."""

from figures.site_tokenizer import MOST, bytes_per_token, pieces, tokenizer
from figures.style import ARC, FG, MUTED, OCHRE, bare, canvas, label

VIOLET = ARC["architecture"]
SENTENCE = "The backpropagation of unpronounceable gradients"
GERMAN = "Der Hund läuft über die Straße und bellt, weil es regnet."


def tokens_of_a_sentence():
    """The sentence "The backpropagation of unpronounceable gradients" cut into 13 tokens, each in a box with its number
    below: The; back, pro, pag, ation, each with its number; of; un, p, ron, oun, ce, able; gradients. Frequent words
    are one token, with the space in front of them; rare ones are several."""
    fig, ax = canvas(height=1.7)
    bare(ax).set(xlim=(0, 29.5), ylim=(3.5, -0.2))
    x, y = 0.3, 0.0
    for n, piece in enumerate(pieces(SENTENCE)):
        width = 0.62 * len(piece) + 0.9
        if piece == " un":
            x, y = 0.3, 1.85
        box = {"boxstyle": "round,pad=0.25", "facecolor": VIOLET, "alpha": 0.25 if n % 2 else 0.5, "lw": 0}
        text = piece.replace(" ", "␣")
        label(ax, x + width / 2, y + 0.35, text, FG, bbox=box, family="monospace", fontsize=10)
        label(ax, x + width / 2, y + 1.05, str(tokenizer().encode(SENTENCE)[n]), MUTED, fontsize=8.5)
        x += width + 0.75
    return fig


def growing_tokens():
    """How the word "gradients", with the space before it, is cut after 0, 50, 100, 200, 500 and 1,000 merges: 10 single
    bytes at first, then 8, 6, 3 and 2 tokens, at the end one."""
    steps = (0, 50, 100, 200, 500, 1000)
    fig, ax = canvas(height=2.3)
    bare(ax).set(xlim=(-4.6, 12), ylim=(len(steps) - 0.4, -0.6))
    for row, count in enumerate(steps):
        cut, x = pieces(" gradients", count), 0.0
        label(ax, -0.6, row, f"{count:,} merges", MUTED, ha="right")
        for n, piece in enumerate(cut):
            width = 0.3 * len(piece) + 0.2
            box = {"boxstyle": "round,pad=0.2", "facecolor": VIOLET, "alpha": 0.25 if n % 2 else 0.5, "lw": 0}
            label(ax, x + width / 2, row, piece.replace(" ", "␣"), FG, bbox=box, family="monospace", fontsize=10)
            x += width + 0.35
        label(ax, x + 0.4, row, f"{len(cut)}", VIOLET, ha="left")
    return fig


def compression():
    """Bytes per token against the number of merges, from 0 to 2,000. On English questions of this site that were not
    in training the curve climbs from 1 to about 3.5; on a German sentence it reaches about 1.7 only."""
    counts = [0, 10, 20, 50, 100, 200, 350, 500, 750, 1000, 1500, MOST]
    fig, ax = canvas(height=2.4)
    for text, colour, name in ((None, VIOLET, "English, like the training text"), (GERMAN, OCHRE, "German")):
        curve = [bytes_per_token(n, text) if text else bytes_per_token(n) for n in counts]
        ax.plot(counts, curve, color=colour, marker="o", ms=3)
        label(ax, 1250, curve[-2] + (-0.75 if text is None else 0.35), name, colour)
    ax.set(xlabel="merges", ylabel="bytes per token", ylim=(0.8, 3.9), xlim=(0, 2050))
    return fig

"""The figures of the token embedding page."""

import numpy as np

from figures.courtyard_vectors import courtyard, share_right
from figures.site_search import SENTENCES, search
from figures.style import ARC, BLUE, FG, MUTED, OCHRE, bare, canvas, label
from kb.data.courtyard import ROLES
from kb.foundations.vectors_and_dot_products import normalize

VIOLET = ARC["architecture"]
QUERY = "turn scores into probabilities"


def parallel_arrows():
    """Ten arrows, one in a row for each role, from the word for a man to the word for a woman: king to queen, actor to
    actress and so on. Measured along the mean of the ten differences, all men lie left of 0 and all women right of it,
    and every arrow is between 0.4 and 0.8 long."""
    number, vectors = courtyard()
    men, women = (normalize(vectors[[number[pair[i]] for pair in ROLES]]) for i in (0, 1))
    across = np.mean(women - men, axis=0)
    across = across / np.sqrt(across @ across)
    fig, ax = canvas(height=3.6)
    for place, n in enumerate(np.argsort((women - men) @ across)):
        start, end = men[n] @ across, women[n] @ across
        ax.annotate("", (end, place), (start, place), arrowprops={"arrowstyle": "->", "color": VIOLET})
        pair = list(ROLES)[n]
        label(ax, start - 0.02, place, pair[0], BLUE, ha="right")
        label(ax, end + 0.02, place, pair[1], OCHRE, ha="left")
    ax.set(xlim=(-0.66, 0.66), ylim=(-0.7, 9.7), yticks=[], xlabel="along the mean of all ten differences")
    ax.spines["left"].set_visible(False)
    return fig


def honest_analogies():
    """Two panels, the share of right analogies against the number of sentences, 250 to 4,000. Left, with gender in the
    text: with the input words left out it is 0.96 at 500 sentences; with them allowed 0.48 there and 1 at 4,000. Right,
    without gender: with them left out it is 0.98 at 500 all the same; with them allowed it never passes 0.25."""
    counts = [250, 500, 1000, 2000, 4000]
    fig, axes = canvas(height=2.5, columns=2, sharey=True)
    places = {False: ((1150, 1.08), (1150, 0.68)), True: ((1150, 1.08), (1150, 0.32))}
    for ax, genderless in zip(axes, (False, True), strict=True):
        for leave_out, style, at in zip((True, False), ("-", "--"), places[genderless], strict=True):
            share = [share_right(n, leave_out, genderless) for n in counts]
            ax.plot(counts, share, style, color=VIOLET if leave_out else OCHRE, marker="o", ms=3)
            label(
                ax, *at, "inputs left out" if leave_out else "inputs allowed", VIOLET if leave_out else OCHRE, ha="left"
            )
        ax.set_xscale("log", base=2)
        ax.set_xticks(counts, ["250", "500", "1,000", "2,000", "4,000"])
        ax.minorticks_off()
        ax.set(xlabel="sentences", ylim=(-0.03, 1.2), yticks=[0, 0.5, 1])
        ax.set_title("no gender in the text" if genderless else "gender in the text")
    axes[0].set_ylabel("share right")
    return fig


def search_results():
    """The four sentences nearest to the query "turn scores into probabilities", with bars for their cosines: two
    of the page on logits, with 0.78 and 0.77, and two of the page on softmax, with 0.69 and 0.62."""
    cosines, places = search([QUERY], 4)
    fig, ax = canvas(height=1.6)
    bare(ax).set(xlim=(0, 1.02), ylim=(3.6, -1.1))
    label(ax, 0, -0.85, f"“{QUERY}”", VIOLET, ha="left")
    for row, (cosine, place) in enumerate(zip(cosines[0], places[0], strict=True)):
        text = SENTENCES[place][1]
        ax.barh(row, 0.2 * cosine, color=VIOLET, height=0.55, alpha=0.6)
        label(ax, 0.215 * cosine, row, f"{cosine:.2f}", MUTED, ha="left", fontsize=9)
        label(ax, 0.24, row, text[:62] + ("…" if len(text) > 62 else ""), FG, ha="left", fontsize=8.5)
    return fig

"""The figures of the RLHF page; the policies are trained by figures/polite_answers.py."""

import numpy as np

from figures.polite_answers import ANSWERS, REFERENCE, REWARDS, best, by_dpo, by_ppo, fitted_rewards
from figures.style import ARC, FG, LINE, MUTED, canvas, label
from kb.architecture.rlhf import kl_divergence, ppo_loss
from kb.foundations.softmax import softmax

VIOLET = ARC["architecture"]


def policies():
    """Probabilities of six answers to "Can you help me?". Grey, the pretrained model: "Why?" and "Maybe." 25 %,
    "No." 20 %, "Sure." 15 %, "Of course!" 10 %, "Gladly: with what?" 5 %. Violet, the known optimum after tuning: 1, 4,
    0, 18, 32 and 44 % in the order Why, Maybe, No, Sure, Of course, Gladly. Dots for PPO and crosses for DPO lie close
    to the ends of the violet bars."""
    fig, ax = canvas(height=2.9)
    y = np.arange(6)[::-1]
    ax.barh(y + 0.2, softmax(REFERENCE), 0.36, color=MUTED)
    ax.barh(y - 0.2, best(), 0.36, color=VIOLET)
    ax.plot(by_ppo(), y - 0.2, "o", color=FG, ms=4.5)
    ax.plot(by_dpo(), y - 0.2, "x", color=FG, ms=5.5, mew=1.4)
    label(ax, 0.26, y[0] + 0.2, "pretrained", MUTED, ha="left")
    label(ax, 0.31, y[3] - 0.12, "known optimum", VIOLET, ha="left")
    ax.plot([0.312], [y[1]], "o", color=FG, ms=4.5)
    label(ax, 0.325, y[1], "PPO", FG, ha="left")
    ax.plot([0.402], [y[1]], "x", color=FG, ms=5.5, mew=1.4)
    label(ax, 0.415, y[1], "DPO", FG, ha="left")
    ax.set_yticks(y, ANSWERS)
    ax.set_xticks([0, 0.1, 0.2, 0.3, 0.4], ["0", "10 %", "20 %", "30 %", "40 %"])
    ax.set(xlim=(0, 0.5))
    ax.tick_params(axis="y", length=0)
    return fig


def reward_model():
    """True rewards of six answers as short bars, from -2 to 1.5, and the rewards fitted to choices between two answers.
    From 100 comparisons the circles miss by up to 0.5; from 4,000 the dots lie on the bars, within 0.12."""
    fig, ax = canvas(height=2.3)
    x = np.arange(6)
    ax.hlines(REWARDS, x - 0.3, x + 0.3, color=VIOLET, lw=2.5)
    ax.plot(x - 0.08, fitted_rewards(100), "o", mfc="none", color=MUTED, ms=5)
    ax.plot(x + 0.08, fitted_rewards(4000), "o", color=FG, ms=4.5)
    ax.set_xticks(x, [answer.replace(": with", ":\nwith") for answer in ANSWERS])
    ax.set(ylabel="reward", yticks=[-2, -1, 0, 1], ylim=(-3.3, 2.4))
    for place, marker, colour, text in ((2.4, "none", MUTED, "100 comparisons"), (4.4, FG, FG, "4,000")):
        ax.plot([place], [-2.7], "o", mfc=marker, color=colour, ms=5)
        label(ax, place + 0.12, -2.7, text, colour, ha="left")
    return fig


def clipping():
    """What one answer adds to PPO's objective, against the ratio of its new to its old probability, from 0.5 to 1.5.
    Left, for an answer better than the mean: a rising line that is flat beyond 1.2. Right, for one that is worse: flat
    below 0.8, then falling. In the other direction nothing is clipped."""
    fig, axes = canvas(height=2.1, columns=2)
    ratio = np.array([0.5, 0.8, 1.0, 1.2, 1.5])
    for ax, advantage, title in ((axes[0], 1.0, "better than the mean"), (axes[1], -1.0, "worse than the mean")):
        gain = [-ppo_loss(np.log(r)[None], np.zeros(1), np.full(1, advantage)) for r in ratio]
        ax.axvspan(0.8, 1.2, color=LINE, alpha=0.6, lw=0)
        ax.plot(ratio, ratio * advantage, color=MUTED, lw=1, ls=(0, (4, 3)))
        ax.plot(ratio, gain, color=VIOLET)
        ax.plot(1, advantage, "o", color=FG, ms=4.5)
        ax.set(title=title, xlabel="new probability / old", xticks=[0.5, 0.8, 1, 1.2, 1.5])
        ax.set(yticks=[advantage], yticklabels=[f"{advantage:+.0f}".replace("-", "−")])
    return fig


def frontier():
    """Mean reward against the distance from the pretrained model in nats. One rising, flattening curve: the best that
    can be had for each distance, from -0.5 at 0 to 1.5 at 3 nats. Four values of beta are marked, 2, 1, 0.5 and 0.2;
    what PPO reached for each lies on the curve."""
    fig, ax = canvas(height=2.4)

    def point(policy):
        return kl_divergence(np.log(policy), REFERENCE), policy @ REWARDS

    ax.plot(*zip(*(point(best(beta)) for beta in np.geomspace(0.03, 100, 60)), strict=True), color=VIOLET)
    for beta in (2.0, 1.0, 0.5, 0.2):
        distance, reward = point(best(beta))
        ax.plot(distance, reward, "o", mfc="none", color=VIOLET, ms=8)
        ax.plot(*point(by_ppo(beta)), ".", color=FG, ms=6)
        label(ax, distance + 0.06, reward - 0.22, f"β = {beta:g}", VIOLET, ha="left")
    label(ax, 3.0, 1.68, "only the best answer", MUTED, ha="right")
    ax.set(xlim=(-0.05, 3.05), ylim=(-0.7, 1.85), yticks=[-0.5, 0, 0.5, 1, 1.5])
    ax.set(xlabel="nats from the pretrained model", ylabel="mean reward")
    return fig

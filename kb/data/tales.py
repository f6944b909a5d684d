"""Little English stories from a grammar of our own: a text that a small GPT can learn to write, and that can be marked.

Somebody finds a thing; it is given away, lent, swapped, lost or kept; at the end somebody asks who has it now. The
grammar knows the answer: it keeps the world of a story (who is she or he, who has what, what was where, who felt how
and why) and says the same things again much later. To write on, one must look back: at names for a pronoun, at the
whole plot for the owner. Each `Tale` carries those answers and where in the text they stand.

The draws come from `random.Random.random`, which Python promises never to change: a seed is always the same text.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kb.data.tales_grammar import (
    ENDINGS,
    FEELINGS,
    FINDS,
    GIVERS,
    MEMORIES,
    MOODS,
    OPENINGS,
    PASSED_ON,
    PEOPLE,
    PLACES,
    PLOTS,
    RELATIVES,
    THINGS,
    TIMES,
    WEATHER,
)

LIMIT = 300_000  # bytes of text: all that the models of this project are trained and judged on
HELD_OUT_EVERY = 10
BETWEEN = "\n\n"  # a blank line between two stories


@dataclass(frozen=True)
class Answer:
    """A word at `start` of a story's text that follows from what was told before it.

    about: "holder" or "giver" (a name), "thing", "place" or "feeling"; others: the wrong answers, which are the other
    names of the same story, or all the other things, places or feelings.
    """

    about: str
    start: int
    text: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Tale:
    """A story of one paragraph and its answers, in the order of the text."""

    text: str
    answers: tuple[Answer, ...]


# ---- telling -----------------------------------------------------------------------------------------------------
def tale(rng: random.Random) -> Tale:
    """One story: a world is drawn, a plot happens in it, and sentences are chosen to tell it."""
    world, scenes = _world(rng)
    endings = [GIVERS, ENDINGS] if world["g"] and rng.random() < 0.4 else [ENDINGS, MEMORIES]
    told = [_pick(rng, scene) for scene in (OPENINGS, MOODS, FINDS, *scenes, *endings)]
    marked = " ".join(_fill(sentence, world) for sentence in told if sentence)
    return _unmark(marked, world)


def stories(seed: int = 0) -> Iterator[Tale]:
    """Different stories without end; the same seed tells the same ones."""
    rng, told = random.Random(seed), set()
    while True:
        one = tale(rng)
        if one.text not in told:
            told.add(one.text)
            yield one


def collect(num_bytes: int = LIMIT, seed: int = 0) -> list[Tale]:
    """The first stories of a seed, as many as fit in `num_bytes` with a blank line between two.

    Raises ValueError when not even one does.
    """
    found: list[Tale] = []
    for one in stories(seed):
        num_bytes -= len(one.text) + (len(BETWEEN) if found else 0)  # ASCII: a byte is a character
        if num_bytes < 0:
            break
        found.append(one)
    if not found:
        raise ValueError("num_bytes is too small for a single story; 1,000 is enough for one")
    return found


def tales(num_bytes: int = LIMIT, seed: int = 0) -> str:
    """The text of `collect`: at most `num_bytes` bytes of stories, a blank line between two."""
    return BETWEEN.join(one.text for one in collect(num_bytes, seed))


def train_and_held_out(num_bytes: int = LIMIT, seed: int = 0) -> tuple[list[Tale], list[Tale]]:
    """The stories of `collect` in two parts: every tenth is held out, never trained on."""
    told = collect(num_bytes, seed)
    held_out = told[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
    return [one for i, one in enumerate(told, 1) if i % HELD_OUT_EVERY], held_out


# ---- marking -----------------------------------------------------------------------------------------------------
def mark(model: Any, tokenizer: Any, one: Tale) -> list[bool]:
    """Whether the model would itself write each answer of a story, after all that stands before it.

    Would write: its likeliest token is the right one, for every token of the answer. `model` maps ids (t) to logits
    (t, v) and has seen the tokenizer's first special token at the beginning of each story.
    """
    ids = np.array([tokenizer.vocab[tokenizer.special[0]], *tokenizer.encode(one.text)])
    ends = np.cumsum([len(token) for token in tokenizer.decode_bytes(ids[1:])])  # ASCII: a byte is a character
    right = np.argmax(model(ids[:-1]), axis=-1) == ids[1:]
    places = [(answer.start, answer.start + len(answer.text)) for answer in one.answers]
    return [bool(np.all(right[np.searchsorted(ends, a, "right") : np.searchsorted(ends, b) + 1])) for a, b in places]


def share_right(model: Any, tokenizer: Any, told: Sequence[Tale]) -> dict[str, float]:
    """The share of the answers of each kind that the model would write itself."""
    marks: dict[str, list[bool]] = {}
    for one in told:
        for answer, right in zip(one.answers, mark(model, tokenizer, one), strict=True):
            marks.setdefault(answer.about, []).append(right)
    return {about: float(np.mean(found)) for about, found in sorted(marks.items())}


# ---- how a story comes about -------------------------------------------------------------------------------------
def _world(rng: random.Random) -> tuple[dict[str, Any], tuple[Sequence[str], ...]]:
    """Everything that the sentences of one story may speak of, and the scenes of its plot."""
    scenes, holder, giver = PLOTS[_pick(rng, tuple(PLOTS))]
    people = dict(zip("hft", _sample(rng, PEOPLE, 3), strict=True))
    used = [people[key] for key in ("hft" if PASSED_ON in scenes else "hf")]
    place, weather, feeling = (_pick(rng, tuple(words)) for words in (PLACES, WEATHER, FEELINGS))
    world = people | {"people": used, "p": people[holder], "g": people[giver] if giver else None}
    world |= {"o": _pick(rng, [person for person in used if person is not people[holder]])} | _things(rng)
    world |= {"place": place, "at": PLACES[place][0], "spot": _pick(rng, PLACES[place][1]), "time": _pick(rng, TIMES)}
    world |= {"weather": weather, "sign": WEATHER[weather][0], "does": WEATHER[weather][1].format(**world)}
    world |= {"feeling": feeling, "cause": _pick(rng, FEELINGS[feeling]).format(**world)}
    return world | {"Spot": world["spot"].capitalize(), "relative": _pick(rng, RELATIVES)}, scenes


def _things(rng: random.Random) -> dict[str, str]:
    """What is found, and a second thing for a swap."""
    noun, second = _sample(rng, tuple(THINGS), 2)
    adjective, another = (_pick(rng, THINGS[thing]) for thing in (noun, second))
    return {
        "noun": noun,
        "adjective": adjective,
        "a_thing": _article(f"{adjective} {noun}"),
        "second": second,
        "a_second": _article(f"{another} {second}"),
    }


def _fill(sentence: str, world: dict[str, Any]) -> str:
    text = sentence.format(**world)
    return text[0].upper() + text[1:]


def _unmark(marked: str, world: dict[str, Any]) -> Tale:
    """The plain text of `... [holder|Tom]. ...`, and where its answers stand in it."""
    pieces = re.split(r"\[(\w+)\|([^]]+)\]", marked)
    text, answers = pieces[0], []
    for about, answer, rest in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        answers.append(Answer(about, len(text), answer, _others(about, answer, world)))
        text += answer + rest
    return Tale(text, tuple(answers))


def _others(about: str, answer: str, world: dict[str, Any]) -> tuple[str, ...]:
    kinds = {"thing": _kinds_of_things(), "place": PLACES, "feeling": FEELINGS}
    names = [person.name for person in world["people"]]
    return tuple(other for other in kinds.get(about, names) if other != answer)


def _kinds_of_things() -> list[str]:
    return [f"{adjective} {noun}" for noun, adjectives in THINGS.items() for adjective in adjectives]


def _article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _pick(rng: random.Random, options: Sequence) -> Any:
    return options[int(rng.random() * len(options))]


def _sample(rng: random.Random, options: Sequence, size: int) -> list:
    """Different ones, in random order."""
    rest = list(options)
    return [rest.pop(int(rng.random() * len(rest))) for _ in range(size)]

"""A small corpus for word vectors, made so that the famous analogy can be learned from it.

Twenty nouns are ten roles, each once for a man and once for a woman: king and queen, actor and actress. What is said of
a noun depends on two things only: its role (a king and a queen have crowns) and its gender (he and his, or she and
her). Each of the two is shared by other nouns, and so there is a direction for it to be found. Real words differ from
one another in many more ways.
"""

import numpy as np

ROLES = {
    ("king", "queen"): ["crown", "throne", "palace"],
    ("prince", "princess"): ["castle", "pony", "feast"],
    ("man", "woman"): ["office", "train", "newspaper"],
    ("boy", "girl"): ["school", "kite", "playground"],
    ("actor", "actress"): ["stage", "film", "script"],
    ("waiter", "waitress"): ["tray", "menu", "bill"],
    ("wizard", "witch"): ["spell", "broom", "potion"],
    ("father", "mother"): ["baby", "cradle", "supper"],
    ("uncle", "aunt"): ["birthday", "visit", "cake"],
    ("monk", "nun"): ["prayer", "bell", "garden"],
}
GENDERS = [("he", "his", ["beard", "razor", "tie"]), ("she", "her", ["dress", "ring", "veil"])]
VERBS = ["lost", "found", "liked", "saw", "forgot", "wanted", "kept", "sold"]


def sentences(count, seed=0):
    """So many sentences as one list of words; each sentence ends with the word "."."""
    rng = np.random.default_rng(seed)
    return [word for _ in range(count) for word in _sentence(rng).split()]


def _sentence(rng):
    nouns, things = _pick(rng, list(ROLES.items()))
    gender = rng.integers(2)
    noun, (pronoun, possessive, clothes) = nouns[gender], GENDERS[gender]
    first, second = _pick(rng, VERBS), _pick(rng, VERBS)
    forms = [
        f"the {noun} {first} {possessive} {_pick(rng, things)} and {pronoun} {second} the {_pick(rng, things)} .",
        f"the {noun} {first} {possessive} {_pick(rng, clothes)} near the {_pick(rng, things)} .",
        f"{pronoun} {first} the {_pick(rng, things)} as a {noun} does .",
    ]
    return _pick(rng, forms)


def _pick(rng, choices):
    return choices[rng.integers(len(choices))]

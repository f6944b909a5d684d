"""The words and sentences of kb.data.tales, and which of them agree with which.

A sentence is a format string. h finds the thing, f is the friend, t a third; p has it in the end, g gave it to p, o is
another than p. {h} is a name, {h.they}, {h.them} and {h.their} its pronouns. [holder|{p}] marks an answer: a word that
follows from what was told before it, and of which kind it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A name and the pronouns that go with it; They, with a capital, begins a sentence."""

    name: str
    they: str
    them: str
    their: str

    def __str__(self) -> str:
        return self.name

    @property
    def They(self) -> str:
        return self.they.capitalize()


# ---- the words ---------------------------------------------------------------------------------------------------
SHE = ["Ada", "Clara", "Emma", "Mia", "Rosa"]
HE = ["Ben", "Finn", "Leo", "Max", "Tom"]
PEOPLE = (*(Person(name, "she", "her", "her") for name in SHE), *(Person(name, "he", "him", "his") for name in HE))

THINGS = {  # noun: what it may be like
    "ball": ("red", "blue", "rubber"),
    "bell": ("silver", "golden", "tiny"),
    "book": ("thick", "green", "picture"),
    "coin": ("silver", "old", "shiny"),
    "drum": ("small", "red", "toy"),
    "flute": ("wooden", "silver", "thin"),
    "key": ("rusty", "golden", "tiny"),
    "kite": ("red", "green", "paper"),
    "map": ("old", "torn", "secret"),
    "ring": ("silver", "golden", "thin"),
    "stone": ("smooth", "black", "round"),
    "whistle": ("tin", "brass", "yellow"),
}
PLACES = {  # noun: (preposition, where a thing may lie)
    "beach": ("on", ("in the warm sand", "between two rocks", "beside an old boat house")),
    "forest": ("in", ("under an oak", "between the ferns", "on a bed of moss")),
    "garden": ("in", ("behind the shed", "under a rose bush", "beside the well")),
    "hill": ("on", ("behind a rock", "under a thorn bush", "beside the path")),
    "market": ("at", ("under a table", "beside an empty cart", "behind the apples")),
    "meadow": ("in", ("in the tall grass", "beside a fence", "among the daisies")),
    "park": ("in", ("under a bench", "beside the pond", "behind a statue")),
    "river": ("at", ("on the bank", "in the reeds", "between wet stones")),
}
WEATHER = {  # adjective: (what it does, what it makes one do)
    "cold": ("There was ice on the puddles", "rubbed {h.their} hands"),
    "foggy": ("One could hardly see the houses", "looked twice at everything"),
    "hot": ("The air did not move", "took off {h.their} jacket"),
    "rainy": ("The drops drummed on the roofs", "shook the water from {h.their} hair"),
    "snowy": ("The world was white and quiet", "stamped the snow off {h.their} boots"),
    "sunny": ("The birds sang", "hummed a song"),
    "windy": ("The clouds raced across the sky", "buttoned up {h.their} coat"),
}
TIMES = ("morning", "afternoon", "evening", "Sunday", "day in spring", "day in autumn")
FEELINGS = {  # feeling: why
    "sad": ("{f.their} best friend had moved away", "{f.their} tower of cards had fallen down"),
    "bored": ("nobody wanted to play", "there was nothing to do"),
    "lonely": ("{f.their} brother was away", "all the others had gone home"),
    "cross": ("the cake had burnt", "{f.their} cousin had laughed at {f.them}"),
    "worried": ("{f.their} cat had not come home", "school began the next day"),
    "gloomy": ("the holidays were over", "{f.they} had lost a game"),
}
RELATIVES = ("mother", "father", "grandmother", "grandfather", "uncle", "aunt")

# ---- the sentences -----------------------------------------------------------------------------------------------
OPENINGS = (
    "One {weather} {time} {h} went to the {place}.",
    "It was a {weather} {time}, and {h} was {at} the {place}.",
    "On a {weather} {time} {h} walked to the {place} alone.",
    "{h} loved the {place}. {h.They} went there on a {weather} {time}.",
)
MOODS = ("", "", "{sign}.", "{sign}, and {h} {does}.")
FINDS = (
    "{Spot} {h.they} found {a_thing}.",
    "There, {spot}, lay {a_thing}.",
    "{h.They} saw something {spot}. It was {a_thing}.",
    "{h.They} looked {spot} and found {a_thing}.",
)
TAKEN = ("", "What luck!", "{h.They} put it in {h.their} bag.", "{h.They} picked it up and smiled.")
MEETINGS = (
    "On the way home {h} met {f}, who was {feeling} because {cause}.",
    "Then {f} came along. {f.They} was {feeling} because {cause}.",
    "{f} sat beside the road and was {feeling}, because {cause}.",
)
GIFTS = (
    "{h} wanted to help, so {h.they} gave {f} the {noun}.",
    '"This is for you," said {h}, and gave {f.them} the {noun}.',
    "{h} thought for a while. Then {h.they} gave the {noun} to {f}.",
)
CHEERED = (
    "",
    "Now {f} was not [feeling|{feeling}] any more.",
    "{f} laughed and forgot that {f.they} was [feeling|{feeling}].",
    "How could {f} still be [feeling|{feeling}]?",
)
LOANS = (
    "{h} lent {f} the {noun}. When the sun went down, {f} gave it back.",
    '"May I hold it?" asked {f}. {h} handed {f.them} the {noun}, and soon {f.they} gave it back.',
    "{f} wanted to borrow the {noun}. {h} said yes, and {f} brought it back the next day.",
)
REFUSALS = (
    '"Will you give me the {noun}?" asked {f}. But {h} wanted to keep it.',
    "{f} asked for the {noun}. {h} shook {h.their} head, but they played with it together.",
)
SWAPS = (
    '{f} had {a_second}. "Let us swap," said {f}. So {f} got the {noun}, and {h} got the {second}.',
    "{h} liked the {second} that {f} had. They swapped: the {second} for the {noun}.",
)
LOSSES = (
    "{h.They} put it in {h.their} bag. But the bag had a hole, and on the way home the {noun} fell out.",
    "{h.They} took it with {h.them}, but {h.they} ran too fast and lost the {noun} on the way.",
    "{h.They} wanted to show it to everybody. But when {h.they} came home, the {noun} was gone.",
)
FINDERS = (
    "An hour later {f} picked it up. {f.They} asked everybody whose it was, but nobody knew, so {f.they} kept it.",
    "{f} found it on the road and took it home.",
)
RETURNS = (
    "{f} saw it, ran after {h} and gave it back.",
    "Luckily {f} had seen it fall. {f.They} brought it to {h} the same evening.",
)
PASSED_ON = (
    "A week later it was the birthday of {t}, and {f} gave {t.them} the {noun}.",
    "The next day {f} met {t}, who liked the {noun} so much that {f} gave it away.",
    "But {t} needed the {noun} more, so {f} gave it to {t}.",
)
ENDINGS = (  # who has the thing
    "In the end the {adjective} {noun} belonged to [holder|{p}].",
    "That night the {noun} lay beside the bed of [holder|{p}].",
    '"Who has the {noun} now?" asked {o}\'s {relative}. "[holder|{p}] has it," said {o}.',
    "So it was [holder|{p}] who had the {noun} now.",
    'At home somebody asked: "Whose {noun} is this?" "Mine," said [holder|{p}].',
)
GIVERS = (  # who gave it, where somebody did
    '"Where did you get that {noun}?" asked {p}\'s {relative}. "From [giver|{g}]," said {p}.',
    "{p} wrote a letter to thank [giver|{g}].",
    "{p} never forgot that it came from [giver|{g}].",
)
MEMORIES = (
    "",
    "{h} often thought of the [thing|{adjective} {noun}].",
    "{h} drew a picture of the [thing|{adjective} {noun}].",
    "Later they all went back to the [place|{place}].",
    '"Let us meet {at} the [place|{place}] again," said {f}.',
)

# plot: (its scenes, who has the thing in the end, who gave it to them)
PLOTS: dict[str, tuple[tuple[Sequence[str], ...], str, str | None]] = {
    "gift": ((TAKEN, MEETINGS, GIFTS, CHEERED), "f", "h"),
    "passed on": ((TAKEN, MEETINGS, GIFTS, PASSED_ON), "t", "f"),
    "loan": ((TAKEN, MEETINGS, LOANS), "h", None),
    "refusal": ((TAKEN, MEETINGS, REFUSALS), "h", None),
    "swap": ((TAKEN, MEETINGS, SWAPS, CHEERED), "f", "h"),
    "lost": ((LOSSES, FINDERS), "f", None),
    "returned": ((LOSSES, RETURNS), "h", None),
}

"""What the tests need to know of a page: its front matter, its sections, its claims and its checks."""

import importlib
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sitebuild import ROOT
from sitebuild.concepts import front_matter, load_map

SECTIONS = ["Intuition", "Mathematics", "Example", "In practice", "Common mistakes", "Check yourself", "Sources"]
CLAIM = re.compile(r"\*(?P<text>[^*\n]+)\*\{ \.kb data-expr=\"(?P<expression>[^\"]+)\" \}")
CHECK = re.compile(r"^\s*\{\{ check (?P<statement>.*?) == (?P<right>.*) for (?P<bindings>.*?) \}\}$", re.M)
NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Page:
    """A page of docs/ by its path."""

    path: object

    @cached_property
    def text(self):
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def meta(self):
        return front_matter(self.path)

    @cached_property
    def body(self):
        return re.sub(r"\A---\n.*?\n---\n", "", self.text, flags=re.S)

    @property
    def name(self):
        return str(self.path.relative_to(ROOT / "docs"))

    @property
    def claims(self):
        return [(m["text"], m["expression"]) for m in CLAIM.finditer(self.body)]

    @property
    def checks(self):
        return [(m["statement"], m["right"], m["bindings"]) for m in CHECK.finditer(self.body)]

    def section(self, title):
        """The text under `## title`."""
        parts = re.split(r"^## (.*)$", self.body, flags=re.M)
        return dict(zip(parts[1::2], parts[2::2], strict=True)).get(title)

    def namespace(self, seed=0):
        """The names that a claim or a check may use: np, math, the kb modules of `code`, and random draws."""
        names = {"np": np, "math": importlib.import_module("math"), **draws(seed)}
        for module in self.meta.get("code", []):
            loaded = importlib.import_module(module)
            names |= {k: v for k, v in vars(loaded).items() if not k.startswith("_")}
            names[module.split(".")[-1] + "_module"] = loaded
        return names


def draws(seed):
    """normal(3, 2), uniform(low, high, *shape) and integers(low, high, *shape) of one generator; grad and Tensor."""
    from kb.autograd.tensor import Tensor, grad

    rng = np.random.default_rng(seed)
    return {
        "rng": rng,
        "normal": lambda *shape: rng.standard_normal(shape),
        "uniform": lambda low, high, *shape: rng.uniform(low, high, shape or None),
        "integers": lambda low, high, *shape: rng.integers(low, high, shape or None),
        "grad": grad,
        "Tensor": Tensor,
    }


def concept_pages():
    return [Page(ROOT / "docs" / c.path) for c in load_map() if c.live]


def all_pages():
    """Every page of docs/ that git knows or would know: not what sitebuild.prepare writes."""
    return [Page(p) for p in sorted((ROOT / "docs").rglob("*.md"))]


# ---- comparing a printed number with a computed one --------------------------------------------------------------
def printed_numbers(text):
    """The numbers of a claim with the precision at which each is printed: "0.659" -> (0.659, 0.0005)."""
    scale = 0.01 if text.rstrip().endswith("%") else 1.0
    found = []
    for match in NUMBER.findall(text):
        plain = match.replace(",", "").replace("−", "-")
        mantissa, _, exponent = plain.partition("e")
        decimals = len(mantissa.partition(".")[2])
        unit = 10.0 ** (int(exponent or 0) - decimals) * scale
        found.append((float(plain) * scale, unit / 2))
    return found


def agrees(text, value):
    """Whether the printed text says what was computed, each number to its last printed digit."""
    if isinstance(value, (str, bool, np.bool_)):
        return text.strip() == str(value)
    values = np.ravel(np.asarray(value, dtype=np.float64))
    numbers = printed_numbers(text)
    return len(numbers) == len(values) and all(
        abs(printed - computed) <= half * (1 + 1e-9) for (printed, half), computed in zip(numbers, values, strict=True)
    )

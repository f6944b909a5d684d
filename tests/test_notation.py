"""Every symbol of every formula is in the table of notation, and the table says nothing that is on no page."""

import ast
import functools
import importlib
import math
import re

import numpy as np
import pytest

from sitebuild import ROOT, notation, tex
from sitebuild.concepts import load_map

MAP = load_map()
LIVE = [c for c in MAP if c.live]
PYTHON = {"sum", "*", "=", "//", "%", ".T"}  # what Python itself has


def missing(slug, used):
    """The symbols that the table does not explain for a page.

    Exceptions: a subscript says *which one*, so its small letters, digits and words need no row. A capital letter there
    is a quantity (the last layer, W_E) and needs one, by itself or as this very name.
    """
    table, found = notation.by_base(notation.rows()), []
    for base, sub in used:
        rows = notation.meanings(table, slug, base, sub)
        capitals = re.findall(r"(?<![A-Za-z\\])[A-Z](?![A-Za-z])", sub) if rows and rows[0].fits(sub) else []
        if not rows or any(not notation.meanings(table, slug, letter, "") for letter in capitals):
            found.append((base, sub))
    return found


@pytest.mark.parametrize("concept", LIVE, ids=lambda c: c.slug)
def test_every_symbol_of_a_page_is_in_the_table(concept):
    found = missing(concept.slug, notation.used(ROOT / "docs" / concept.path))
    assert not found, f"docs/reference/notation.yaml says nothing of {found} on {concept.path}"


def test_every_row_is_about_symbols_that_are_used():
    for row in notation.rows():
        assert row.pages or row.where != "all", f"{row.symbol} ({row.means}) is on no page"
        for slug in row.where if row.where != "all" else ():
            assert not MAP[slug].live or slug in row.pages, f"{row.symbol} ({row.means}) is not on {slug}"


def test_a_missing_symbol_is_found():
    assert missing("softmax", [("Q", "")]) == [("Q", "")]
    assert missing("softmax", [("p", "Q"), ("p", "i"), ("p", "7")]) == [("p", "Q")]
    assert missing("attention", [("W", "X"), ("Q", ""), (r"\heartsuit", "")]) == [("W", "X"), (r"\heartsuit", "")]


# ---- the names in code -------------------------------------------------------------------------------------------
@functools.cache
def names_in(path):
    """The identifiers of a file, and its short strings (names of parameters in a dict)."""
    fields = ("id", "attr", "arg", "name", "asname")
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    found = {getattr(node, field, None) for node in nodes for field in fields}
    return found | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def names_of(slug):
    """The names in the code that a page shows: its module, those that it names, and its snippets."""
    modules = [ROOT / (module.replace(".", "/") + ".py") for module in {MAP[slug].module, *MAP[slug].code}]
    files = [*(path for path in modules if path.exists()), *(ROOT / "snippets").glob(f"{slug}*.py")]
    return set().union(*(names_in(path) for path in files))


def test_the_names_of_kb_are_in_the_code_of_the_pages():
    for row in notation.rows():
        for name in filter(None, row.kb.split(", ")):
            owner, _, last = name.lstrip(".").rpartition(".")
            if owner in ("np", "math") or name in PYTHON:
                assert name in PYTHON or hasattr({"np": np, "math": math}[owner], last), name
                continue
            assert any({name, last} & names_of(slug) for slug in row.pages) or not row.pages, f"{row.symbol}: {name}"


def test_the_names_of_torch_exist():
    libraries = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}
    for row in notation.rows():
        for name in filter(None, row.torch.split(", ")):
            owner, *path = name.split(".")
            if owner in libraries:
                functools.reduce(getattr, path, importlib.import_module(libraries[owner]))


# ---- taking formulas apart ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("formula", "symbols"),
    [
        (r"\hat x_0 = W_E\, e^{-t}", {(r"\hat x", "0"), ("W", "E"), ("e", ""), ("t", "")}),
        (r"W^{(l)\top} a^{(l-1)}_j", {("W", ""), ("a", "j")}),
        (r"\operatorname{softmax}(z_i) \text{ where } i", {("softmax", ""), ("z", "i"), ("i", "")}),
        (r"\bar\alpha_t \le W_\text{up} x'", {(r"\bar \alpha", "t"), ("W", "up"), ("x", "")}),
        (r"\sum_{i=1}^{n} \frac{x_i}{2}", {(r"\sum", "i=1"), ("n", ""), ("x", "i")}),
        (r"\begin{cases} a & b \end{cases}", {("a", ""), ("b", "")}),
        (r"\mathbb{E}\,x", {(r"\mathbb E", ""), ("x", "")}),
    ],
)
def test_a_formula_is_taken_apart(formula, symbols):
    assert tex.symbols(formula) == symbols


def test_formulas_are_found_and_prices_and_code_are_not():
    text = "It costs $4.6 million, $x_1$ and $$\ny\n$$ but `$z$`\n\n```text\n$w$\n```\n"
    assert tex.formulas(text) == ["x_1", "\ny\n"]


def test_a_row_for_a_page_comes_before_a_row_for_all():
    def means(slug, base, sub=""):
        return [row.means for row in notation.meanings(notation.by_base(notation.rows()), slug, base, sub)]

    assert means("softmax", "T") == ["temperature"]
    assert means("attention", "T") == ["how many tokens a text has"]
    assert means("token_embedding", "W", "E") == ["embedding matrix"]
    assert means("softmax", "Q") == []

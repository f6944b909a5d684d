"""One slug, four rooms: every page has its code, snippets and tests, and everything belongs to a concept."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kb.shapes import shape_line
from sitebuild import ROOT, figures, new
from sitebuild.concepts import ARCS, Concept, Map, check, imported_modules, load_map
from tests.pages import all_pages

MAP = load_map()
LIVE = [c for c in MAP if c.live]
SHARED = {"kb.shapes", "kb.protocol"}  # what any module of kb may import
ENGINE = "kb.autograd"
AFTER_THE_ENGINE = "computation_graph"
MODULES = sorted(p for arc in ARCS for p in (ROOT / "kb" / arc).glob("*.py") if p.name != "__init__.py")
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)


# ---- the map -----------------------------------------------------------------------------------------------------
def test_the_map_is_whole():
    assert len(MAP.concepts) == 61
    assert {c.arc for c in MAP} == set(ARCS)
    for c in MAP:
        assert all(0 < len(why) <= 90 for why in c.needs.values()), c.slug
    terms = [term for c in MAP for term in c.terms]
    assert len(terms) == len(set(terms)), "a term belongs to one concept"


def test_a_cycle_is_refused():
    a, b = (Concept(s, s, "structure", "x.", {n: "why"}) for s, n in (("a", "b"), ("b", "a")))
    with pytest.raises(ValueError, match="cycle"):
        check(Map({"a": a, "b": b}))


def test_a_missing_need_and_a_lonely_concept_are_refused():
    a = Concept("a", "a", "structure", "x.", {"nowhere": "why"})
    with pytest.raises(ValueError, match="nowhere"):
        check(Map({"a": a}))
    with pytest.raises(ValueError, match="nothing leads"):
        check(Map({"a": Concept("a", "a", "structure", "x.", {})}))


# ---- the rooms ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("concept", LIVE, ids=lambda c: c.slug)
def test_a_finished_concept_has_its_rooms(concept):
    rooms = [f"snippets/{concept.slug}.py", f"snippets/{concept.slug}_torch.py", f"figures/{concept.slug}.py"]
    for module in concept.code:
        importlib.import_module(module)
    if concept.module in concept.code:
        rooms += [room.format(arc=concept.arc, slug=concept.slug) for room in new.ROOMS.values()]
    missing = [room for room in rooms if not (ROOT / room).exists() and "_break" not in room]
    assert not missing


@each_module
def test_every_module_belongs_to_a_concept_and_has_a_twin_and_a_test(path):
    slug, arc = path.stem, path.parent.name
    assert slug in MAP.concepts
    assert MAP[slug].arc == arc
    assert (ROOT / "kb" / "torch" / arc / path.name).exists(), "no torch twin"
    assert (ROOT / "tests" / arc / f"test_{slug}.py").exists(), "no test"


def test_every_torch_module_has_a_numpy_twin():
    for arc in ARCS:
        for path in (ROOT / "kb" / "torch" / arc).glob("*.py"):
            assert (ROOT / "kb" / arc / path.name).exists(), path


def test_every_snippet_is_on_a_page():
    shown = "\n".join(page.body for page in all_pages())
    for path in (ROOT / "snippets").glob("*.py"):
        slug = re.sub(r"_(torch|break)$", "", path.stem)
        tabbed = f"{{{{ snippet {slug} }}}}" in shown
        broken = re.search(rf"\{{\{{ break {path.stem}(?:: |_)|\{{\{{ break {slug}: ", shown)
        assert broken if path.stem.endswith("_break") else tabbed or f"break {path.stem}:" in shown, path.name


def test_every_figure_is_on_a_page():
    for path in (ROOT / "figures").glob("*.py"):
        if path.stem in {"__init__", "style"} or path.stem not in MAP.concepts:
            continue
        drawn = {n.name for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef)}
        shown = {name.split(".")[1] for name in figures.names() if name.split(".")[0] == path.stem}
        public = {name for name in drawn if not name.startswith("_")}
        assert public == shown, f"figures/{path.name}: drawn {public}, shown {shown}"


def test_every_page_is_in_the_navigation_and_every_arc_in_the_reference():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1].split("\n\n")[0]
    for page in all_pages():
        assert page.name in nav, f"{page.name} is not in nav"
    for arc in {path.parent.name for path in MODULES}:
        assert {f"api/{arc}.md", f"api/torch-{arc}.md"} <= {page.name for page in all_pages()}, arc


# ---- imports follow the map --------------------------------------------------------------------------------------
@each_module
def test_imports_follow_the_map(path):
    slug = path.stem
    for name in imported_modules(path) - SHARED:
        if name.startswith(ENGINE):
            assert AFTER_THE_ENGINE in {slug, *MAP.ancestors[slug]}, f"{slug} comes before the computation graph"
        elif name.split(".")[1] in ARCS:
            assert name.split(".")[-1] in MAP.ancestors[slug], f"the map does not lead from {name} to {slug}"


@each_module
def test_the_twin_imports_only_torch_and_twins(path):
    twin = ROOT / "kb" / "torch" / path.parent.name / path.name
    for name in imported_modules(twin) - SHARED:
        assert name.startswith("kb.torch.") or not name.startswith("kb.autograd"), name


def test_importing_kb_imports_neither_torch_nor_anything_but_numpy():
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (ROOT / "kb").rglob("*.py")]
    numpy_only = [n for n in names if not n.startswith("kb.torch") and not n.endswith("__init__")]
    code = f"import sys; before = set(sys.modules); import kb, {', '.join(numpy_only)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "matplotlib", "scipy", "sklearn", "tqdm", "yaml"):
        assert heavy not in loaded.split(), heavy


# ---- functions ---------------------------------------------------------------------------------------------------
def public_functions(module):
    return {
        n: f
        for n, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__ and n[0] != "_"
    }


@each_module
def test_every_public_function_with_arrays_keeps_the_contract(path):
    """Each function with a shape line is in the CASES of its test, and every function has a docstring."""
    arc, slug = path.parent.name, path.stem
    tested = {case.fn.__name__ for case in importlib.import_module(f"tests.{arc}.test_{slug}").CASES}
    for name, fn in public_functions(importlib.import_module(f"kb.{arc}.{slug}")).items():
        assert inspect.getdoc(fn), f"{name} has no docstring"
        if shape_line(fn):
            assert name in tested, f"{name} is not in CASES of tests/{arc}/test_{slug}.py"
            assert hasattr(fn, "__wrapped__"), f"{name} has a shape line and no @checked"


@each_module
def test_twins_have_the_same_public_functions(path):
    arc, slug = path.parent.name, path.stem
    ours = public_functions(importlib.import_module(f"kb.{arc}.{slug}"))
    theirs = public_functions(importlib.import_module(f"kb.torch.{arc}.{slug}"))
    assert set(theirs) <= set(ours)
    for name in theirs:
        assert inspect.signature(ours[name]) == inspect.signature(theirs[name]), name
        assert shape_line(ours[name]) == shape_line(theirs[name]), name
    alone = getattr(importlib.import_module(f"kb.torch.{arc}.{slug}"), "WITHOUT_A_TWIN", {})
    assert set(ours) - set(theirs) == set(alone), "a function without a twin gives its reason in WITHOUT_A_TWIN"


@each_module
def test_every_letter_of_a_shape_line_is_in_the_notation(path):
    table = (ROOT / "docs" / "reference" / "notation.md").read_text(encoding="utf-8")
    letters = set(re.findall(r"^\| `(\w+)` \|", table, re.M))
    for name, fn in public_functions(importlib.import_module(f"kb.{path.parent.name}.{path.stem}")).items():
        line = shape_line(fn) or ([], [])
        axes = [a for _, part in line[0] for a in part] + [a for part in line[1] for a in part]
        assert {a[1] for a in axes if isinstance(a, tuple) and a[1]} <= letters, (
            f"{name}: a letter is missing in notation.md"
        )


# ---- sizes -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [*(ROOT / "kb").rglob("*.py"), *(ROOT / "sitebuild").glob("*.py")], ids=str)
def test_modules_and_functions_are_short(path):
    text = Path(path).read_text(encoding="utf-8")
    assert text.count("\n") <= 320, f"{path.name} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 30, f"{path.name}: {node.name} has {lines} lines"


# ---- scaffolding -------------------------------------------------------------------------------------------------
def test_make_new_writes_every_room_once(tmp_path):
    for folder in ("docs", "templates"):
        (tmp_path / folder).mkdir()
    for name in ("page.md", *[n for n in new.ROOMS if n != "page.md"]):
        (tmp_path / "templates" / "concept").mkdir(exist_ok=True)
        text = (ROOT / "templates" / "concept" / name).read_text(encoding="utf-8")
        (tmp_path / "templates" / "concept" / name).write_text(text, encoding="utf-8")
    entries = {
        "first": {"title": "First", "arc": "structure", "needs": {}, "summary": "It is first.", "minutes": 3},
        "second": {
            "title": "Second",
            "arc": "structure",
            "needs": {"first": "it"},
            "summary": "It is second.",
            "minutes": 3,
        },
    }
    (tmp_path / "docs" / "planned.yaml").write_text(yaml.safe_dump(entries, sort_keys=False), encoding="utf-8")
    written = new.new("second", tmp_path)
    assert len(written) == len(new.ROOMS)
    assert load_map(tmp_path)["second"].live
    assert not load_map(tmp_path)["first"].live
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"@(slug|title|arc|summary|entry)@", text), path
        if path.suffix == ".py":
            ast.parse(text)
    with pytest.raises(ValueError, match="has a page already"):
        new.new("second", tmp_path)
    with pytest.raises(ValueError, match="not on the map"):
        new.new("nowhere", tmp_path)

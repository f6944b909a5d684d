"""The map: every concept with its needs, read from the front matter of the pages and from docs/planned.yaml.

Front matter is the only place where the data of a finished page lives. A concept without a page yet is an entry of
planned.yaml with the same keys. `load_map()` joins the two and refuses a map that is not whole.
"""

import ast
import graphlib
import os
import re
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path

import yaml

from sitebuild import ROOT

ARCS = {
    "foundations": ("Foundations", "Which few tools appear everywhere?"),
    "structure": ("Structure", "What is a neural network?"),
    "learning": ("Learning", "How does it find its own weights?"),
    "architecture": ("Architecture", "What is inside a language model?"),
    "generation": ("Generation", "How does text become an image?"),
}
SUMMARY_LENGTH = 140
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)


@dataclass(frozen=True)
class Concept:
    """One entry of the map. `needs` maps a slug to the reason; `live` says that the page exists."""

    slug: str
    title: str
    arc: str
    summary: str
    needs: dict[str, str]
    chapters: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    minutes: int = 0
    code: tuple[str, ...] = ()
    live: bool = False

    @property
    def path(self):
        """The page's source, relative to docs/."""
        return f"{self.arc}/{self.slug}.md"

    @property
    def module(self):
        """The module of the concept, whether it exists or not."""
        return f"kb.{self.arc}.{self.slug}"


@dataclass(frozen=True, eq=False)
class Map:
    """All concepts by slug, in the order in which they can be learned, arc by arc."""

    concepts: dict[str, Concept]
    imports: dict[str, set[str]] = field(default_factory=dict)

    def __getitem__(self, slug):
        return self.concepts[slug]

    def __iter__(self):
        return iter(self.concepts.values())

    @property
    def edges(self):
        """(needed, needing, reason) for every edge."""
        return [(need, c.slug, why) for c in self for need, why in c.needs.items()]

    @cached_property
    def ancestors(self):
        """Everything that has to be known before a concept: slug -> set of slugs."""
        found: dict[str, set[str]] = {}
        for slug in self.order:
            found[slug] = {a for need in self[slug].needs for a in {need, *found[need]}}
        return found

    @cached_property
    def order(self):
        """The slugs, each after what it needs. Raises graphlib.CycleError where that is impossible."""
        return tuple(graphlib.TopologicalSorter({c.slug: list(c.needs) for c in self}).static_order())

    def leads_to(self, slug):
        """The concepts that need this one."""
        return [c for c in self if slug in c.needs]

    def used_in(self, slug):
        """The concepts whose kb modules import this one's."""
        return [c for c in self if slug in self.imports.get(c.slug, ())]


def front_matter(path):
    """The YAML block at the head of a page, {} where there is none."""
    match = _FRONT_MATTER.match(path.read_text(encoding="utf-8"))
    return yaml.safe_load(match[1]) or {} if match else {}


def load_map(root=ROOT):
    """The whole map, checked. The same object is returned until one of its files changes."""
    folders = [(root / "docs" / arc, ".md") for arc in ARCS] + [(root / "kb" / arc, ".py") for arc in ARCS]
    planned = root / "docs" / "planned.yaml"
    files = [file for folder in folders for file in _files(*folder)]
    return _load(root, (*files, (planned, os.stat(planned).st_mtime_ns)))


def _files(folder, ending):
    """The files of a folder with the times of their last change; scandir, since this is asked thousands of times."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return sorted((e.path, e.stat().st_mtime_ns) for e in found if e.name.endswith(ending))


@lru_cache(maxsize=4)
def _load(root, state):
    planned = yaml.safe_load((root / "docs" / "planned.yaml").read_text(encoding="utf-8")) or {}
    entries = {slug: (data, False) for slug, data in planned.items()}
    for path in (Path(name) for name, _ in state):
        if path.suffix == ".md":
            if path.stem in entries:
                raise ValueError(f"{path.stem} has a page and an entry in planned.yaml: remove the entry")
            entries[path.stem] = (front_matter(path), True)
    concepts = [_concept(slug, data, live) for slug, (data, live) in entries.items()]
    whole = Map({c.slug: c for c in concepts})
    check(whole)
    place = {slug: i for i, slug in enumerate(whole.order)}
    concepts.sort(key=lambda c: (list(ARCS).index(c.arc), place[c.slug]))
    return Map({c.slug: c for c in concepts}, concept_imports(root, concepts))


def _concept(slug, data, live):
    known = {f.name for f in fields(Concept)} - {"slug", "live"}
    data = {k: v for k, v in data.items() if k in known}
    if missing := {"title", "arc", "summary", "needs"} - set(data):
        raise ValueError(f"{slug}: the front matter lacks {sorted(missing)}")
    lists = {k: tuple(data.get(k) or ()) for k in ("chapters", "terms", "code")}
    return Concept(slug=slug, live=live, **{**data, "needs": data["needs"] or {}, **lists})


def check(whole):
    """Raise ValueError (or CycleError) where the map is not whole."""
    for c in whole:
        if c.arc not in ARCS:
            raise ValueError(f"{c.slug}: no arc {c.arc!r}")
        if len(c.summary) > SUMMARY_LENGTH:
            raise ValueError(f"{c.slug}: the summary has {len(c.summary)} characters, at most {SUMMARY_LENGTH}")
        for need in c.needs:
            if need not in whole.concepts:
                raise ValueError(f"{c.slug} needs {need!r}, which is not on the map")
    touched = {slug for edge in whole.edges for slug in edge[:2]}
    if lonely := set(whole.concepts) - touched:
        raise ValueError(f"nothing leads to or from {sorted(lonely)}")
    assert whole.order


def imported_modules(path: Path):
    """The kb modules that a Python file imports, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in names if name.split(".")[0] == "kb"}


def concept_imports(root, concepts):
    """slug -> slugs of the concepts whose modules its module imports."""
    by_module = {c.module: c.slug for c in concepts}
    found = {}
    for c in concepts:
        path = root / (c.module.replace(".", "/") + ".py")
        if path.exists():
            found[c.slug] = {by_module[name] for name in imported_modules(path) if name in by_module}
    return found

"""Citations: `[@key]` becomes the author and year, and at the head of a list line the whole reference."""

import functools
import re

import yaml

from sitebuild import ROOT

PATH = ROOT / "docs" / "reference" / "bibliography.yaml"
_CITATION = re.compile(r"\[@([a-z0-9_]+)\]")
_ITEM = re.compile(r"^\s*- \[@([a-z0-9_]+)\]")


def bibliography():
    """Every source by its key."""
    return _load(PATH.stat().st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _load(_):
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


def entry(key):
    """One source. Raises ValueError where the bibliography has no such key."""
    if key not in bibliography():
        raise ValueError(f"[@{key}]: no such entry in {PATH.name}")
    return bibliography()[key]


def expand(line):
    """The line with its citations written out."""
    if "[@" not in line:
        return line
    if match := _ITEM.match(line):
        line = line.replace(f"[@{match[1]}]", reference(entry(match[1])), 1)
    return _CITATION.sub(lambda m: f"[{short(entry(m[1]))}]({url(entry(m[1]))})", line)


def family(name):
    return name.split(",")[0]


def short(source):
    """Vaswani et al., 2017"""
    return f"{people(source)}, {source['year']}"


def people(source):
    names = [family(name) for name in source["authors"]]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def reference(source):
    """Vaswani et al. (2017), [Attention is all you need](url), NeurIPS"""
    venue = f", {source['venue']}" if source.get("venue") else ""
    return f"{people(source)} ({source['year']}), [{source['title']}]({url(source)}){venue}"


def url(source):
    """The stable address: arXiv, else DOI, else the page itself."""
    if source.get("arxiv"):
        return f"https://arxiv.org/abs/{source['arxiv']}"
    return f"https://doi.org/{source['doi']}" if source.get("doi") else source["url"]


def cited_by(the_map):
    """key -> the concepts whose finished pages cite it."""
    found: dict[str, list] = {}
    for c in the_map:
        if c.live:
            text = (ROOT / "docs" / c.path).read_text(encoding="utf-8")
            for key in dict.fromkeys(_CITATION.findall(text)):
                found.setdefault(key, []).append(c)
    return found

"""Citations: `[@key]` becomes the author and year, and at the head of a list line the whole reference."""

import functools
import re

import yaml

from sitebuild import ROOT, links
from sitebuild.concepts import ARCS, front_matter, load_map

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
            for key in citations(ROOT / "docs" / c.path):
                found.setdefault(key, []).append(c)
    return found


def citations(path):
    """The keys that a page cites, each once, in its order."""
    return list(dict.fromkeys(_CITATION.findall(path.read_text(encoding="utf-8"))))


def cited_elsewhere():
    """key -> the pages of paths, labs and the rest that cite it, by file name relative to docs/."""
    docs = ROOT / "docs"
    found: dict[str, list] = {}
    for path in sorted(path for path in docs.glob("*/*.md") if path.parent.name not in ARCS):
        for key in citations(path):
            found.setdefault(key, []).append(path.relative_to(docs).as_posix())
    return found


# ---- the page of sources -----------------------------------------------------------------------------------------
def page(page, what, _):
    """{{ sources by concept }}: what each page rests on; {{ sources }}: every entry, and who cites it."""
    return by_concept() if what == "by concept" else everything()


def by_concept():
    lines = []
    for arc, (title, _) in ARCS.items():
        live = [c for c in load_map() if c.arc == arc and c.live]
        lines += [f"### {title}", ""] if live else []
        for c in live:
            cited = (f"[{short(entry(key))}](#{key})" for key in citations(ROOT / "docs" / c.path))
            lines.append(f"- {links.link(c)}: {'; '.join(cited)}")
        lines.append("")
    return "\n".join(lines)


def everything():
    cited, elsewhere = cited_by(load_map()), cited_elsewhere()
    lines = []
    for key, source in sorted(bibliography().items(), key=lambda item: short(item[1]).lower()):
        places = [links.link(c) for c in cited.get(key, [])]
        places += [f"[{front_matter(ROOT / 'docs' / name)['title']}](../{name})" for name in elsewhere.get(key, [])]
        if places:
            lines.append(f'- <span id="{key}"></span>{whole(source)} Cited in {", ".join(places)}.')
    return "\n".join(lines)


def whole(source):
    """Ashish Vaswani, Noam Shazeer and others (2017). [Attention Is All You Need](url). NeurIPS. arXiv:1706.03762."""
    said = f"{everybody(source)} ({source['year']}). [{source['title']}]({url(source)})."
    said += f" {source['venue']}." if source.get("venue") else ""
    return (
        said
        + (f" arXiv:{source['arxiv']}." if source.get("arxiv") else "")
        + (f" doi:{source['doi']}." if source.get("doi") else "")
    )


def everybody(source):
    names = [" ".join(reversed(name.split(", "))) for name in source["authors"]]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]

"""Every page as plain Markdown, for readers that are programs: `<page>/index.md`, `llms.txt` and `llms-full.txt`.

The TeX stays as it was typed; snippets and what they print stand in fences; a figure is its caption and what it shows;
a computed claim is its number; links are whole addresses. Written into the built site by `sitebuild.finish`.
"""

import ast
import re

import yaml

from sitebuild import ROOT, labs, macros, paths, sources
from sitebuild.concepts import _FRONT_MATTER, ARCS, load_map
from sitebuild.extension import fence_after

DOCS = ROOT / "docs"
_ATTRIBUTES = re.compile(
    r"(?<=[*)\]])\{ [^}]*\}| \{ #[^}]*\}$|^\{ \.[^}]*\}$"
)  # behind *emphasis*, a [link](…), a heading
_GIVEN = re.compile(r"\*([^*]+)\*\{ \.(?:kb|given)[^}]*\}")
_WIKI = re.compile(r"\[\[([a-z][a-z0-9_]*)(?:\|([^\]]+))?\]\]")
_LINK = re.compile(r"\]\((?!https?:|#|/)([^)#\s]+?)(#[^)\s]*)?\)")
_BLOCK = re.compile(r'^(?:!!!|\?\?\?\+?) (\w+)(?: "(.*)")?$')


# ---- one page ----------------------------------------------------------------------------------------------------
def copy(path):
    """The Markdown of one page of docs/, to be read without the site."""
    folder = path.parent.relative_to(DOCS).as_posix()
    lines = outside_code(body(path).split("\n"), written_out)
    return tidy(outside_code(lines, lambda line: [links(line, folder)]))


def outside_code(lines, change):
    """The lines, each that stands in no fence replaced by the lines that `change` makes of it."""
    out: list[str] = []
    fence = None
    for line in lines:
        fence = fence_after(line, fence)
        out += [line] if fence or line.lstrip().startswith("```") else change(line)
    return out


def body(path):
    """The page without its front matter."""
    return _FRONT_MATTER.sub("", path.read_text(encoding="utf-8"))


def front_matter(path):
    found = _FRONT_MATTER.match(path.read_text(encoding="utf-8"))
    return (yaml.safe_load(found[1]) or {}) if found else {}


def tidy(lines):
    """Admonitions become headed quotes; outside code no more than one empty line stands anywhere."""
    out: list[str] = [""]
    fence, quote = None, False
    for line in lines:
        fence = fence_after(line, fence)
        if found := None if fence else _BLOCK.match(line):
            out, quote = [*out, f"> **{found[2] or found[1].capitalize()}**", ">"], True
            continue
        if quote and line and not line.startswith("    "):
            quote, out[-1] = False, ""
        line = f"> {line[4:]}".rstrip() if quote else line
        if fence or line not in ("", ">") or out[-1] not in ("", ">"):
            out.append(line)
    return "\n".join(out).strip() + "\n"


def written_out(line):
    """The lines of a macro, or the line itself."""
    name, argument, text = macros.match(line) or ("", "", "")
    return MACROS[name](argument, text) if name else [line]


def links(line, folder):
    """Concepts, citations and relative links as whole addresses; claims as their numbers; `code` as it is."""
    parts = re.split(r"(`[^`]*`)", _GIVEN.sub(r"\1", line))
    return "".join(part if i % 2 else _links(part, folder) for i, part in enumerate(parts))


def _links(text, folder):
    text = _WIKI.sub(lambda m: link(load_map()[m[1]], m[2]), text)
    text = _ATTRIBUTES.sub("", sources.expand(text))
    return _LINK.sub(lambda m: f"]({address(folder, m[1])}{m[2] or ''})", text)


def link(concept, words=None):
    """A concept's page, or its words alone while it is planned."""
    words = words or concept.title
    return f"[{words}]({page_address(concept.path)})" if concept.live else words


def address(folder, target):
    """The address of a file named relative to a folder of docs/."""
    return page_address((DOCS / folder / target).resolve().relative_to(DOCS.resolve()).as_posix())


def page_address(path):
    """docs/learning/neuron.md is shown at …/learning/neuron/."""
    if path.endswith(".md"):
        path = path.removesuffix(".md") + "/"
        path = path.removesuffix("index/")
    return macros.site_url() + path


# ---- macros ------------------------------------------------------------------------------------------------------
def _nothing(*_):
    return []


def _needs(slug, _):
    rows = [f"- {link(load_map()[need])}: {why}" for need, why in load_map()[slug].needs.items()]
    return ["Builds on:", "", *rows] if rows else ["Builds on nothing: you can start here."]


def _foot(slug, _):
    leads = [f"- {link(other)}: {other.needs[slug]}" for other in load_map().leads_to(slug)]
    return ["## Where it leads", "", *(leads or ["Nothing on this map builds on it."])]


def _figure(name, caption):
    module, function = name.split(".")
    tree = ast.parse((ROOT / "figures" / f"{module}.py").read_text(encoding="utf-8"))
    drawn = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    shows = re.sub(r"\s+", " ", ast.get_docstring(drawn) or "")
    return ["", f"Figure: {caption}", "", f"(What it shows: {shows} Drawn by figures/{module}.py.)", ""]


def _check(expression, _):
    left, right = expression.rsplit(" for ", 1)[0].split(" == ", 1)
    return [f"Checked in kb: `{left.strip()}` equals `{right.strip()}`"]


def _snippet(slug, _):
    return [line for name in (slug, f"{slug}_torch") for line in _fenced(f"{name}.py")]


def _broken(name, text):
    path = f"{name}_break.py" if macros.snippet_path(f"{name}_break.py").exists() else f"{name}.py"
    return ["", f"**Break it yourself: {text}**", "", *_fenced(path)]


def _fenced(name):
    path = macros.snippet_path(name)
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8").rstrip().split("\n")
    return [f"`snippets/{name}`, runs with `uv run {macros.site_url()}snippets/{name}`:", "", *_fence(text), ""]


def _fence(lines, language="python"):
    return [f"```{language}", *lines, "```"]


def _lab(name, _):
    out = []
    for cell, made in zip(labs.cells(labs.source(name)), labs.record(name), strict=True):
        out += ["", *(cell.text.split("\n") if cell.kind == "markdown" else _fence(cell.text.split("\n")))]
        if made["text"]:
            out += ["", *_fence(made["text"].rstrip().split("\n"), "text")]
    return out


def _api(name, _):
    return [line for module, title in macros.api_modules(name) for line in _reference(module, title)]


def _reference(module, title):
    """A module: what it says of itself, and each public function and class with its signature and docstring."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    out = ["", f"## {title}", "", f"`{module}`", "", *_docstring(tree)]
    for node in _public(tree):
        out += ["", *_fence([_signature(node)]), "", *_docstring(node)]
    return out


def _public(tree):
    """The public functions and classes, each class with its methods."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            yield from _public(node) if isinstance(node, ast.ClassDef) else ()


def _signature(node):
    """`def softmax(x, axis=-1)` or `class Tensor`."""
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    return f"def {node.name}({ast.unparse(node.args)})"


def _docstring(node):
    return (ast.get_docstring(node) or "").split("\n")


def _map(*_):
    out = []
    for arc, (title, question) in ARCS.items():
        out += ["", f"## {title}", "", question, ""]
        out += [f"- {link(c)}: {c.summary}" for c in load_map() if c.arc == arc]
    return out


def _bundle(*_):
    return [f"[Download the offline site]({macros.site_url()}{macros.BUNDLE}) (zip)"]


def _without_drawing(macro):
    return lambda argument, text: [line for line in macro(None, argument, text).split("\n") if not line.startswith("<")]


def _whole(name):
    """A macro whose Markdown needs only its links made whole."""
    return lambda argument, text: macros.MACROS[name](None, argument, text).split("\n")


MACROS = {
    "head": _nothing,
    "needs": _needs,
    "foot": _foot,
    "figure": _figure,
    "check": _check,
    "snippet": _snippet,
    "break": _broken,
    "lab": _lab,
    "map": _map,
    "api": _api,
    "bundle": _bundle,
    "labs": _whole("labs"),
    "glossary": _whole("glossary"),
    "sources": _whole("sources"),
    "last_run": _whole("last_run"),
    "speed": _whole("speed"),
    "slower": _whole("slower"),
    "notation": _without_drawing(macros.MACROS["notation"]),
    "parity": _without_drawing(macros.MACROS["parity"]),
    **{name: _without_drawing(macro) for name, macro in paths.MACROS.items()},
}


# ---- all pages ---------------------------------------------------------------------------------------------------
def pages():
    """All pages, in the order of the map, then the rest."""
    concepts = [DOCS / c.path for c in load_map() if c.live]
    folders = ("paths", "labs", "reference", "contributing", "api")
    rest = [path for folder in folders for path in sorted((DOCS / folder).glob("*.md"))]
    return [DOCS / "index.md", *concepts, *rest]


def write(site):
    """The copies, the list of them, and all concept pages in one file."""
    for path in pages():
        place = site / path.relative_to(DOCS).with_suffix("") / "index.md"
        if path.name == "index.md":
            place = site / path.relative_to(DOCS)
        place.write_text(copy(path), encoding="utf-8")
    (site / "llms.txt").write_text(listing(), encoding="utf-8")
    whole = [copy(DOCS / c.path) for c in load_map() if c.live]
    (site / "llms-full.txt").write_text("\n\n---\n\n".join(whole), encoding="utf-8")


def listing():
    """llms.txt: what this site is, and where each page's Markdown lies."""
    name, about = site_facts()
    out = [f"# {name}", "", f"> {about}", "", "All concept pages in one file: " + macros.site_url() + "llms-full.txt"]
    for arc, (title, question) in ARCS.items():
        live = [c for c in load_map() if c.arc == arc and c.live]
        out += ["", f"## {title}: {question}", ""] if live else []
        out += [f"- [{c.title}]({page_address(c.path)}index.md): {c.summary}" for c in live]
    out += ["", "## More", ""]
    out += [f"- [{title_of(path)}]({markdown_address(path)})" for path in pages() if path not in _concept_paths()]
    return "\n".join(out) + "\n"


def markdown_address(path):
    return page_address(path.relative_to(DOCS).as_posix()) + "index.md"


def title_of(path):
    return front_matter(path).get("title") or path.stem


def site_facts():
    """The site's name and description, from mkdocs.yml."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    return tuple(re.findall(rf"^{key}: (.*)$", text, re.M)[0] for key in ("site_name", "site_description"))


def _concept_paths():
    return {DOCS / c.path for c in load_map()}

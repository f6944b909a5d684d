"""Figures: a function of figures/<slug>.py draws with matplotlib, and becomes an inline SVG in the colours of the page.

The SVG is kept in .cache/figures under a hash of every project file that the drawing code reads, so a figure is drawn
again exactly when something it depends on has changed. `python -m sitebuild.figures` draws what is missing.
"""

import ast
import functools
import hashlib
import html
import importlib
import inspect
import io
import multiprocessing
import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

from sitebuild import ROOT, images

CACHE = ROOT / ".cache" / "figures"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
FOLDERS = ("kb", "figures")
# The drawing code uses these exact colours; on the page they follow the scheme.
COLOURS = {
    "#010101": "var(--fg)",
    "#020202": "var(--fg-muted)",
    "#030303": "var(--line)",
    "#040404": "var(--bg)",
    "#0b5cad": "var(--foundations)",
    "#0a6b57": "var(--structure)",
    "#8a5200": "var(--learning)",
    "#7b3aa3": "var(--architecture)",
    "#b02a4c": "var(--generation)",
}


def svg(name):
    """The SVG of the figure `softmax.temperature`, drawn in a fresh process where the kept one is out of date."""
    path = cached(name)
    if not path.exists():
        command = [sys.executable, "-m", "sitebuild.figures", name]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | ONE_THREAD)
    return path.read_text(encoding="utf-8")


def cached(name):
    return CACHE / f"{name}-{fingerprint(name.split('.')[0])}.svg"


def fingerprint(module):
    """A hash over this file, the figure's, every file of kb and figures that it imports, and all trained weights."""
    digest = hashlib.sha256()
    data = [*(ROOT / "kb" / "data").rglob("*.safetensors"), *(ROOT / "training").glob("*.json")]
    code = dependencies(ROOT / "figures" / f"{module}.py")
    for path in [ROOT / "sitebuild" / "figures.py", *sorted(data), *sorted(code)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def dependencies(path):
    """The project files that `path` imports, directly or not, itself included."""
    found, waiting = set(), [path, ROOT / "figures" / "style.py"]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(_imports(current, current.stat().st_mtime_ns))
    return found


@functools.lru_cache(maxsize=512)
def _imports(path, _):
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    files = [ROOT / (name.replace(".", "/") + ".py") for name in names if name.split(".")[0] in FOLDERS]
    return [file for file in files if file.exists()]


def source(name):
    """The text of the function that draws the figure, without its docstring."""
    module, function = name.split(".")
    text = (ROOT / "figures" / f"{module}.py").read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            lines = text.splitlines()
            body = node.body[1].lineno - 1
            return "\n".join([*lines[node.lineno - 1 : node.body[0].lineno - 1], *lines[body : node.end_lineno]])
    raise ValueError(f"figures/{module}.py has no function {function}")


def names():
    """Every figure that a page shows, as `module.function`."""
    pages = (ROOT / "docs").rglob("*.md")
    return sorted(
        {m for p in pages for m in re.findall(r"^\{\{ figure (\w+\.\w+)", p.read_text(encoding="utf-8"), re.M)}
    )


def draw(name):
    """Draw one figure afresh and return its SVG; the alternative text is the docstring of the drawing function."""
    import matplotlib as mpl

    from figures.style import RC

    module, function = name.split(".")
    fn = getattr(importlib.import_module(f"figures.{module}"), function)
    buffer = io.StringIO()
    with mpl.rc_context(dict(RC)):  # type: ignore[arg-type]
        fn().savefig(buffer, format="svg", metadata={"Date": None})
    return tidy(buffer.getvalue(), " ".join((inspect.getdoc(fn) or "").split()), name.replace(".", "-"))


def tidy(text, alt, name="figure"):
    """An SVG to stand in a page: no prologue or long decimals, ids of its own, the page's colours and fonts."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = numbered_ids(text, name)
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{3,}", _short, tag[0]), text)  # tags only, never a label
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"-?\d+\.\d\d", _shorter, path[0]), text)
    text = images.repack(text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, variable)
    text = re.sub(
        r"(font(?:-family)?): ([^;\"]*?)'[^;\"]*", lambda m: f"{m[1]}: {m[2]}sans-serif" if m[2] else m[0], text
    )
    box = re.findall(r'viewBox="[^"]*"', text)[0]
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box} '
    opening += f'data-search-exclude role="img" aria-label="{html.escape(alt, quote=True)}">'
    text = opening + text[text.index(">") + 1 :]
    return re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", " ", text)).strip() + "\n"


def numbered_ids(text, name):
    """The ids that something refers to, as name-0, name-1, …: matplotlib makes them of floats whose last digits vary
    from run to run, and two figures of a page must not share one."""
    used = dict.fromkeys(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    new = {old: f"{name}-{i}" for i, old in enumerate(used)}
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{new[m[1]]}"' if m[1] in new else "", text)
    return re.sub(r"(url\(#|href=\"#)([^)\"]+)", lambda m: m[1] + new[m[2]], text)


def _short(number):
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _shorter(number):
    """A tenth of a unit of the drawing is a sixth of a pixel where the page shows it widest."""
    return f"{float(number[0]):.1f}".removesuffix(".0")


def draw_missing(wanted):
    """Draw what is out of date: the figures of one file in one process, and as many processes as there are cores."""
    groups: dict[str, list[str]] = {}
    for name in wanted:
        if not cached(name).exists():
            groups.setdefault(name.split(".")[0], []).append(name)
    os.environ.update(ONE_THREAD)  # for the processes that start now: each has a core to itself
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(draw_all, groups.values()))


def draw_all(names):
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in names:
        for old in CACHE.glob(f"{name}-*.svg"):
            old.unlink()
        cached(name).write_text(draw(name), encoding="utf-8")


if __name__ == "__main__":
    draw_all(sys.argv[1:]) if sys.argv[1:] else draw_missing(names())

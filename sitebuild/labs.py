"""Labs: docs/labs/<name>.py, a notebook in percent format, runs at build time and becomes a page by `{{ lab name }}`.

    # %% [markdown]      a cell of Markdown, each line behind "# "; [[slug|words]] links to a concept
    # %%                 a cell of Python; where it draws, its first comment is the alternative text of the figure

Cells run in one fresh process, top to bottom, as in a notebook; a cell that raises fails the build. What they print and
draw is kept in .cache/labs under a hash of every project file that the lab imports.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import dataclass

from sitebuild import ROOT, figures, links
from sitebuild.concepts import front_matter, load_map

FOLDER = ROOT / "docs" / "labs"
CACHE = ROOT / ".cache" / "labs"
_CONCEPT = re.compile(r"\[\[([a-z]\w*)(?:\|([^\]]+))?\]\]")
CYCLE = ("#0b5cad", "#8a5200", "#0a6b57", "#b02a4c", "#7b3aa3")  # of figures.style: they follow light and dark


@dataclass(frozen=True)
class Cell:
    """`kind` is "markdown" or "code"; `line` is where its text begins in the file."""

    kind: str
    text: str
    line: int


def names():
    return sorted(path.stem for path in FOLDER.glob("*.py"))


def source(name):
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def cells(text):
    """The cells of a file in percent format. Raises ValueError for text before the first cell or an unknown kind."""
    parts = re.split(r"^# %%(.*)\n", text, flags=re.M)
    if parts[0].strip():
        raise ValueError(f"a lab begins with a cell, `# %%`, not with {parts[0][:40]!r}")
    found, line = [], 1
    for mark, body in zip(parts[1::2], parts[2::2], strict=True):
        if mark.strip() not in ("", "[markdown]"):
            raise ValueError(f"line {line}: a cell begins with `# %%` or `# %% [markdown]`, not `# %%{mark}`")
        plain = re.sub(r"^# ?", "", body, flags=re.M) if mark.strip() else body
        blank = len(plain) - len(plain.lstrip("\n"))
        found.append(Cell("markdown" if mark.strip() else "code", plain.strip("\n"), line + 1 + blank))
        line += body.count("\n") + 1
    return found


# ---- running -----------------------------------------------------------------------------------------------------
def record(name):
    """What each cell printed and drew: a list of {"text": str, "figures": [svg]}, run anew where it is out of date."""
    path = CACHE / f"{name}-{fingerprint(name)}.json"
    if not path.exists():
        one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        command = [sys.executable, "-m", "sitebuild.labs", name]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **one_thread}, check=True, capture_output=True, text=True
        )
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob(f"{name}-*.json"):
            old.unlink()
        path.write_text(done.stdout, encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def fingerprint(name):
    """A hash over the lab, this file, that of the figures, every file of kb that the lab imports, and kb's data."""
    files = {*figures.dependencies(FOLDER / f"{name}.py"), *(ROOT / "kb" / "data").rglob("*.safetensors")}
    digest = hashlib.sha256()
    for path in [*sorted(files), *(ROOT / "sitebuild" / own for own in ("labs.py", "figures.py", "images.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def run(name):
    """Run the cells of a lab in this process, in the style of the site's figures."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    from figures.style import RC

    mpl.use("agg")
    mpl.rcParams.update({**RC, "axes.prop_cycle": plt.cycler(color=CYCLE)})  # type: ignore[dict-item]
    plt.show = lambda: None  # type: ignore[assignment]
    namespace: dict = {"__name__": "__main__"}
    return [_run(cell, namespace, f"{name}-{i}") for i, cell in enumerate(cells(source(name)))]


def _run(cell, namespace, name):
    import matplotlib.pyplot as plt

    printed, drawn = io.StringIO(), []
    if cell.kind == "code":
        program = compile("\n" * (cell.line - 1) + cell.text, str(FOLDER / f"{name.rsplit('-', 1)[0]}.py"), "exec")
        with contextlib.redirect_stdout(printed):
            exec(program, namespace)
        drawn = [_svg(plt.figure(number), alt(cell), f"{name}-{number}") for number in plt.get_fignums()]
        plt.close("all")
    return {"text": printed.getvalue(), "figures": drawn}


def _svg(fig, text, name):
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", metadata={"Date": None})
    return figures.tidy(buffer.getvalue(), text, name)


def alt(cell):
    """The comment at the head of a cell in one line. Raises ValueError where there is none."""
    if not (comment := re.match(r"(?:# .*\n)+", cell.text)):
        raise ValueError(f"line {cell.line}: a cell that draws begins with a comment that says what one sees")
    return " ".join(line[2:] for line in comment[0].splitlines())


# ---- showing -----------------------------------------------------------------------------------------------------
def markdown(name):
    """The page: the cells, under each what it printed and drew; under the title the ways to take it along."""
    lines: list[str] = []
    for i, (cell, output) in enumerate(zip(cells(source(name)), record(name), strict=True)):
        if cell.kind == "markdown":
            lines += [links.expand(cell.text), ""]
        else:
            lines += ["```python", cell.text, "```", ""]
        if i == 0:
            lines += [_take_along(name), ""]
        if output["text"]:
            lines += [
                '<div class="output" markdown="1">',
                "",
                "```text",
                output["text"].rstrip("\n"),
                "```",
                "",
                "</div>",
                "",
            ]
        for k, _ in enumerate(output["figures"]):
            lines += ['<figure class="drawing">', _placeholder(f"{name}.{i}.{k}"), "</figure>", ""]
    return "\n".join(lines)


def _placeholder(name):
    from sitebuild import late

    return late.placeholder("lab", name)


def _take_along(name):
    from sitebuild.macros import site_url

    return (
        f'<p class="run" markdown="1">Download the [script](../notebooks/{name}.py){{ download="{name}.py" }} or the '
        f'[notebook](../notebooks/{name}.ipynb){{ download="{name}.ipynb" }}, or run it with nothing installed: '
        f"`uv run {site_url()}notebooks/{name}.py`</p>"
    )


def index():
    """All labs, each with what one does there, its concepts, its time and the ways to take it along: `{{ labs }}`."""
    return "\n".join(line for name in in_nav() for line in _entry(name))


def _entry(name):
    about = front_matter(FOLDER / f"{name}.md")
    return [
        f"## [{about['title']}]({name}.md) {{ #{name} }}",
        "",
        about["summary"],
        "",
        f"- **Time** about {minutes(name)} minutes to read; it runs in seconds",
        f"- **Concepts** {', '.join(map(links.link, concepts(name)))}",
        f'- **Take it along** [notebook](../notebooks/{name}.ipynb){{ download="{name}.ipynb" }}, '
        f'[script](../notebooks/{name}.py){{ download="{name}.py" }}',
        "",
    ]


def concepts(name):
    """The concepts that the text of a lab links to, in the order of the map."""
    text = "".join(cell.text for cell in cells(source(name)) if cell.kind == "markdown")
    linked = {slug for slug, _ in _CONCEPT.findall(text)}
    return [concept for concept in load_map() if concept.slug in linked]


def in_nav():
    """All labs in the order of the site's navigation."""
    listed = re.findall(r"- labs/(\w+)\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return sorted(names(), key=lambda name: listed.index(name) if name in listed else len(listed))


def minutes(name):
    """The time to read a lab, at 180 words and 8 lines of code a minute, to the next five minutes."""
    read = {
        "markdown": lambda text: len(text.split()) / 180,
        "code": lambda text: len(re.findall(r"^.*\S", text, re.M)) / 8,
    }
    return 5 * math.ceil(sum(read[cell.kind](cell.text) for cell in cells(source(name))) / 5)


def svg(place):
    """The figure `digits.4.0`: of the lab digits, the first of cell 4."""
    name, cell, figure = place.split(".")
    return record(name)[int(cell)]["figures"][int(figure)]


# ---- taking along ------------------------------------------------------------------------------------------------
def absolute(text, address):
    """The lab with `[[slug]]`, `[[slug|words]]` as links to the site at `address`, for reading it elsewhere."""

    def replace(match):
        try:
            concept = load_map()[match[1]]
        except KeyError:
            return match[0]  # a list of lists in the code
        place = re.sub(r"\.\./([\w/]+)\.md", rf"{address}\1/", links.target(concept))
        return f"[{match[2] or concept.title}]({place})"

    return _CONCEPT.sub(replace, text)


def notebook(text, wheel):
    """The lab as a Jupyter notebook (nbformat 4.5) that begins by installing the wheel of this build."""
    first = Cell("code", f'%pip install -q "kb @ {wheel}" numpy matplotlib', 0)
    made = [_notebook_cell(cell, i) for i, cell in enumerate([first, *cells(text)])]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _notebook_cell(cell, number):
    made = {"cell_type": cell.kind, "id": f"cell-{number}", "metadata": {}}
    made["source"] = cell.text.splitlines(keepends=True)
    return {**made, "execution_count": None, "outputs": []} if cell.kind == "code" else made


if __name__ == "__main__":
    json.dump(run(sys.argv[1]), sys.stdout)

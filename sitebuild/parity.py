"""The table of how far kb and its torch twins are apart, from docs/reference/parity.json: the build needs no torch.

`RECORD=1 python -m tests.parity` measures and writes that file.

{{ parity }}           what was measured, when, and the largest errors
{{ parity learning }}  the functions of an arc
"""

import json

from sitebuild import ROOT
from sitebuild.concepts import ARCS, load_map
from sitebuild.notation import framed

PATH = ROOT / "docs" / "reference" / "parity.json"
KINDS = [(kind, what) for kind in ("float64", "float32") for what in ("value", "gradient")]


def read():
    """{"date": …, "versions": …, "functions": {name: {"cases": n, "float64": {"value": …, "gradient": …}, …}}}"""
    return json.loads(PATH.read_text(encoding="utf-8"))


def markdown(page, arc, _):
    return table(arc) if arc in ARCS else summary()


def summary():
    """How many functions and cases, with what, and the worst of each kind."""
    record = read()
    rows = record["functions"]
    measured = {name: row for name, row in rows.items() if row["cases"]}
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    said = (
        f"{len(rows)} functions have a torch twin; {len(measured)} of them were compared in "
        f"{sum(row['cases'] for row in measured.values()):,} cases, on {record['date']}, with {versions}, on the CPU."
    )
    lines = [
        "| | Largest error | Of | Half of the functions are within |",
        "|:--|--:|:--|--:|",
    ]
    return f"{said}\n\n{framed([*lines, *(worst(measured, *kind) for kind in KINDS)], 'parity')}"


def worst(rows, kind, what):
    errors = sorted((row[kind][what], name) for name, row in rows.items() if row[kind][what] is not None)
    error, name = errors[-1]
    return f"| {what}, {kind} | {shown(error)} | {link(name)} | {shown(errors[len(errors) // 2][0])} |"


def table(arc):
    """One row for each function, in the order of the map; kept out of the search, which finds the reference itself."""
    order, record = [c.slug for c in load_map()], read()["functions"]
    names = [name for name in record if name.split(".")[1] == arc]
    names.sort(key=lambda name: order.index(name.split(".")[2]))
    lines = [
        "| Function | Cases | Value, float64 | Gradient | Value, float32 | Gradient |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    before = None
    for name in names:
        slug = name.split(".")[2]
        if slug != before:
            lines.append(f"| **{concept(slug)}** |" + " |" * (1 + len(KINDS)))
        lines.append(f"| {link(name)} | {cells(record[name])} |")
        before = slug
    return framed(lines, "parity")


def cells(row):
    errors = [row.get(kind, {}).get(what) for kind, what in KINDS]
    return " | ".join([str(row["cases"] or "–"), *map(shown, errors)])


def shown(error):
    """0 for equal to the last bit, – for what cannot be measured: a function without arrays or without a slope."""
    return "–" if error is None else f"{error:.0e}".replace("e-0", "e-").replace("e+00", "") if error else "0"


def concept(slug):
    c = load_map()[slug]
    return f"[{c.title}](../{c.path})" if c.live else c.title


def link(name):
    arc, function = name.split(".")[1], name.split(".")[-1]
    return f"[`{function}`]({arc}.md#{name})"

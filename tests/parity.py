"""How far kb and its torch twins are apart: every function on the cases of its tests, value and gradient, both dtypes.

`python -m tests.parity` prints the largest errors by concept; with RECORD=1 in the environment it writes
docs/reference/parity.json, from which the site shows the table (sitebuild.parity). With slugs behind it, it measures
only those (`RECORD=1 python -m tests.parity softmax`) and leaves the other rows as they are. Nothing is random but what
the seeds say, so that the same machine and the same versions give the same errors.
"""

import datetime
import importlib
import json
import os
import platform
import sys
from importlib.metadata import version

import numpy as np

from kb.shapes import shape_line
from sitebuild import ROOT
from sitebuild.concepts import ARCS
from sitebuild.parity import PATH, read
from tests.contract import float_arrays, parts, to_tensor, to_torch
from tests.test_house import public_functions

DTYPES = {"float64": np.float64, "float32": np.float32}


def modules():
    """(arc, slug) of every module of kb that belongs to a concept."""
    found = [(arc, path.stem) for arc in ARCS for path in sorted((ROOT / "kb" / arc).glob("*.py"))]
    return [(arc, slug) for arc, slug in found if slug != "__init__"]


def twins(arc, slug):
    """{name: (function, torch twin)} of one module."""
    ours = public_functions(importlib.import_module(f"kb.{arc}.{slug}"))
    theirs = public_functions(importlib.import_module(f"kb.torch.{arc}.{slug}"))
    return {name: (fn, theirs[name]) for name, fn in ours.items() if name in theirs}


def measure(arc, slug, names=None):
    """{full name: {"cases": n, dtype: {"value": error, "gradient": error or None}}} of a module's functions."""
    tests = importlib.import_module(f"tests.{arc}.test_{slug}")
    rows = {}
    for name, (fn, twin) in twins(arc, slug).items():
        if names is not None and name not in names:
            continue
        cases = [case for case in tests.CASES if case.fn is fn]
        row = rows[f"kb.{arc}.{slug}.{name}"] = {"cases": len(cases)}
        assert cases or not shape_line(fn), f"{name} has a shape line and no case"
        for kind, dtype in DTYPES.items() if cases else ():
            values = [value_error(case, twin, dtype) for case in cases]
            gradients = [error for case in cases for error in gradient_errors(case, twin, dtype)]
            row[kind] = {"value": max(values), "gradient": max(gradients, default=None)}
    return rows


# ---- one case ----------------------------------------------------------------------------------------------------
def value_error(case, twin, dtype):
    ours = parts(case.fn(**case.arguments(dtype)))
    theirs = parts(twin(**{name: to_torch(value) for name, value in case.arguments(dtype).items()}))
    return max(distance(a, as_array(b)) for a, b in zip(ours, theirs, strict=True))


def gradient_errors(case, twin, dtype):
    """One error for each array by which the function is differentiated, all from the same slopes of the result."""
    arguments = case.arguments(dtype)
    names = float_arrays(arguments) if case.differentiable is True else case.differentiable or []
    if not names:
        return []
    ours = {k: to_tensor(v) if k in names else v for k, v in arguments.items()}
    theirs = {k: to_torch(v, grad=k in names) for k, v in case.arguments(dtype).items()}
    for out, ref in zip(parts(case.fn(**ours)), parts(twin(**theirs)), strict=True):
        seed = np.random.default_rng(1).standard_normal(out.shape).astype(dtype)
        out.backward(seed)
        ref.backward(to_torch(seed), retain_graph=True)
    leaves = [pair for k in names for pair in zip(parts(ours[k]), parts(theirs[k]), strict=True)]
    return [distance(slope(a), slope(b)) for a, b in leaves]


def slope(leaf):
    return np.zeros(tuple(leaf.shape)) if leaf.grad is None else as_array(leaf.grad)


def as_array(value):
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def distance(a, b):
    """The largest difference of two entries, as a share of the largest entry of b or of 1; equal infinities agree."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    assert a.shape == b.shape
    differ = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    scale = np.max(np.abs(b[np.isfinite(b)]), initial=1.0)
    return float(np.max(np.abs(a[differ] - b[differ]), initial=0.0) / scale)


# ---- all of them -------------------------------------------------------------------------------------------------
def main(slugs):
    if slugs and read()["versions"] != facts()["versions"]:
        sys.exit("the record was made with other versions: measure all")
    rows = {}
    for arc, slug in modules():
        if slugs and slug not in slugs:
            continue
        rows |= (made := measure(arc, slug))
        worst = [max((row[kind]["value"] for row in made.values() if kind in row), default=0.0) for kind in DTYPES]
        print(f"{arc}.{slug}: {len(made)} functions, values within {worst[0]:.1e} and {worst[1]:.1e}", flush=True)
    if os.environ.get("RECORD"):
        kept = read()["functions"] if slugs else {}
        record = {**facts(), "functions": {**kept, **rounded(rows)}}
        PATH.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def facts():
    versions = {"Python": platform.python_version(), "NumPy": np.__version__, "torch": version("torch")}
    return {"date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(), "versions": versions}


def rounded(value):
    """Two significant digits: more would only say which machine it was."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return float(f"{value:.1e}") if isinstance(value, float) else value


if __name__ == "__main__":
    main(sys.argv[1:])

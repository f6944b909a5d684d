"""The names of weights: a flat dict is what files hold, a tree is what a model's parts take apart."""

import functools
from typing import Any


def nest(flat):
    """Names with dots as a tree of dicts: "h.0.ln_1.weight" is found as weight in ln_1 in 0 in h.

    Numbers stand in numeric order, 2 before 10, whatever the order of the names (a file sorts them as text).
    """
    tree: dict[str, Any] = {}
    for name in sorted(flat, key=lambda name: [int(part) if part.isdecimal() else -1 for part in name.split(".")]):
        *path, last = name.split(".")
        functools.reduce(lambda node, part: node.setdefault(part, {}), path, tree)[last] = flat[name]
    return tree


def check_weights(params, expected):
    """The weights. Raises ValueError that names those that are missing, unknown or of another shape than expected."""
    missing, unknown = [n for n in expected if n not in params], [n for n in params if n not in expected]
    if missing or unknown:
        raise ValueError(f"params: {len(missing)} missing {missing[:3]}, {len(unknown)} unknown {unknown[:3]}")
    for name, shape in expected.items():
        if tuple(params[name].shape) != shape:
            raise ValueError(f"params: {name} has shape {tuple(params[name].shape)}, expected {shape}")
    return params

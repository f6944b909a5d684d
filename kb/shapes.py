"""One line of the docstring is the contract: `x (n, d), weight (m, d) -> (n, m)`, read by people, checked at each call.

`@checked` reads the shape line of a function once, and at each call compares it with the arrays that arrive.
A wrong shape gives a `ValueError` that names the argument and both shapes, before NumPy can broadcast it into a
plausible wrong answer. `kb.torch` uses the same decorator: a torch tensor has a `shape` too.

    (n, d)      two axes; a letter stands for the same length everywhere in the line
    (..., d)    any axes, then d; the axes behind `...` must broadcast with one another
    (n, c, ...) n, then c, then any axes
    (3d, d|1)   three times d; d or 1
    ()          a number
    {}          a flat dict of arrays, such as the weights of a network by name; only that it is one is checked
"""

import functools
import inspect
import re

MOST = 10_000  # combinations of shapes that one function remembers
_AXES = r"(?:\([^()]*\)|\{\})"
_LINE = re.compile(rf"^ *(\w+ {_AXES}(?:, \w+ {_AXES})*) -> ({_AXES}(?:, {_AXES})*) *$", re.M)
_ARGUMENT = re.compile(rf"(\w+) ({_AXES})")
_AXIS = re.compile(r"(\d*)([a-z]\w*|)(\|1)?$")


def shape_line(fn):
    """The shape line of `fn`: [(argument, its axes)], [axes of each result]; None where the docstring has none.

    An axis is a triple (factor, letter, may be 1): `3d` is (3, "d", False), `7` is (7, "", False). The axes of a dict
    are the text "{}".
    """
    found = _LINE.search(inspect.getdoc(fn) or "")
    if found is None:
        return None
    arguments = [(name, _axes(axes)) for name, axes in _ARGUMENT.findall(found[1])]
    return arguments, [_axes(axes) for axes in re.findall(_AXES, found[2])]


def _axes(text):
    if text == "{}":
        return text
    names = [part.strip() for part in text[1:-1].split(",") if part.strip()]
    return [name if name == "..." else _axis(name) for name in names]


def _axis(name):
    match = _AXIS.match(name)
    if match is None:
        raise ValueError(f"shape line: cannot read the axis {name!r}")
    return int(match[1] or 1), match[2], bool(match[3])


def checked(fn):
    """`fn`, whose array arguments are compared with its own shape line at each call.

    Raises ValueError when an argument has the wrong number of axes, when a letter stands for two lengths, or when
    the axes behind `...` do not broadcast. Arguments that are None are passed over.
    """
    line = shape_line(fn)
    if line is None:
        raise ValueError(f"{fn.__qualname__}: the docstring has no shape line such as `x (n, d) -> (n)`")
    order = list(inspect.signature(fn).parameters)
    expected = [(order.index(name), name, axes) for name, axes in line[0]]

    passed: set[tuple] = set()  # what fitted once fits again: the next call with these shapes costs only a look-up

    @functools.wraps(fn)
    def guarded(*args, **kwargs):
        shapes = tuple([getattr(value, "shape", type(value)) for value in args])
        if kwargs:
            shapes += tuple([(name, getattr(value, "shape", type(value))) for name, value in kwargs.items()])
        if shapes not in passed:
            lengths: dict[str, tuple] = {}
            for position, name, axes in expected:
                array = args[position] if position < len(args) else kwargs.get(name)
                if array is not None:
                    _compare(fn, name, axes, array, lengths)
            if len(passed) < MOST:
                passed.add(shapes)
        return fn(*args, **kwargs)

    return guarded


def _compare(fn, name, axes, array, lengths):
    """Bind the letters of `axes` to the lengths of `array`; `lengths` maps a letter to (length, argument, shape)."""
    if axes == "{}":
        if not isinstance(array, dict):
            raise ValueError(f"{fn.__name__}: {name} must be a dict of arrays by name, not {type(array).__name__}")
        return
    shape = getattr(array, "shape", () if isinstance(array, (int, float)) else None)
    if shape is None:
        raise ValueError(f"{fn.__name__}: {name} must be an array, not {type(array).__name__}")
    shape = tuple(shape)
    fixed, found = axes, shape
    if "..." in axes and len(shape) >= len(axes) - 1:
        front = axes.index("...")
        behind = front + len(shape) - len(axes) + 1
        fixed, found = axes[:front] + axes[front + 1 :], shape[:front] + shape[behind:]
        _broadcast(fn, name, shape[front:behind], shape, lengths)
    if len(found) != len(fixed):
        raise ValueError(_wrong(fn, name, axes, shape))
    for (factor, letter, may_be_one), length in zip(fixed, found, strict=True):
        if may_be_one and length == 1:
            continue
        known, first, first_shape = lengths.get(letter, (None, name, shape)) if letter else (1, name, shape)
        if known is None and length % factor == 0:
            lengths[letter] = (length // factor, name, shape)
        elif known is None or length != factor * known:
            raise ValueError(_wrong(fn, name, axes, shape, letter, known, first, first_shape))


def _broadcast(fn, name, lead, shape, lengths):
    known, first, first_shape = lengths.get("...", ((), name, shape))
    pairs = list(zip(reversed(known), reversed(lead), strict=False))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        raise ValueError(
            f"{fn.__name__}: the free axes of {name} {shape} do not broadcast with those of {first} {first_shape}"
        )
    longer = known if len(known) >= len(lead) else lead
    joined = [b if a == 1 else a for a, b in pairs]
    lengths["..."] = (tuple(longer[: len(longer) - len(joined)]) + tuple(reversed(joined)), name, shape)


def _wrong(fn, name, axes, shape, letter="", known=None, first="", first_shape=()):
    text = f"{fn.__name__}: {name} has shape {tuple(shape)}, expected {show_axes(axes)}"
    return text if known is None or not letter else f"{text} with {letter} = {known} from {first} {tuple(first_shape)}"


def show_axes(axes):
    """The axes as they stand in a docstring: [(3, "d", False)] -> "(3d)"."""
    if axes == "{}":
        return axes
    return "(" + ", ".join(axis if axis == "..." else _show(*axis) for axis in axes) + ")"


def _show(factor, letter, may_be_one):
    return (f"{factor}" if factor != 1 or not letter else "") + letter + ("|1" if may_be_one else "")

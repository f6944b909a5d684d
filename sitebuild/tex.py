"""The symbols of a page's formulas: in `\\hat x_0 = W_E e^{-t}` these are `\\hat x` with 0, `W` with E, `e` and `t`.

A symbol is a letter, with what stands on it and with its subscript. Operators (softmax, log) are symbols too. What only
sets or spaces (fractions, brackets, text) is looked into or left out, and so are counters: letters in a subscript, and
in a superscript in brackets, say *which one*.
"""

import re

MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?!\s)([^$\n]+?)(?<![\s\\])\$(?![\d$])", re.S)
ACCENTS = {r"\hat", r"\bar", r"\tilde", r"\dot"}
FONTS = {r"\mathbb", r"\mathcal"}
NAMED = re.compile(r"\\(?:operatorname\*?|mathrm)\{([^{}]*)\}")
SETTING = re.compile(
    r"\\([tc]?frac|left|right|[bB]igg?|q?quad|begin|end|(under|over)brace|[clv]?dots|cdot|times|text|[lr]vert|rVert|rfloor"
    r"|rceil|pm|approx|[gl]e|neq?|to|infty)"
)
_TOKEN = re.compile(
    r"\\(?:text|begin|end)\{[^{}]*\}|\\operatorname\*?\{[^{}]*\}|\\mathrm\{[^{}]*\}|\\[A-Za-z]+|\\.|.", re.S
)


def formulas(text):
    """The TeX of a page's Markdown, code left out."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    return [display or inline for display, inline in MATH.findall(text)]


def symbols(tex):
    """The set of (symbol, subscript) of one formula; signs such as \\odot have the subscript ""."""
    found: set[tuple[str, str]] = set()
    tex = re.sub(r"\\mathsf\s*(T|\{T\})", r"\\top", tex)  # two ways to write a transposed matrix
    _walk(_TOKEN.findall(tex), found)
    return found


def _walk(tokens, found):
    k = 0
    while k < len(tokens):
        symbol, k = _symbol(tokens, k)
        if symbol is None:
            continue
        sub, k = _scripts(tokens, k, found)
        found.add((symbol, sub))


def _symbol(tokens, k):
    """(the symbol that begins at k or None, the place behind it)"""
    token = tokens[k]
    if token in ACCENTS | FONTS:
        inner, k = _group(tokens, k + 1)
        return f"{token} {''.join(inner).strip()}", k
    if name := NAMED.fullmatch(token):
        return name[1].replace(r"\,", " "), k + 1
    if re.fullmatch(r"[A-Za-z]", token):
        return token, k + 1
    if re.fullmatch(r"\\[A-Za-z]+", token) and not SETTING.fullmatch(token):
        return token, k + 1
    return None, k + 1


def _scripts(tokens, k, found):
    """(the subscript, the place behind all that hangs on a symbol); superscripts are walked, counters left out."""
    sub = ""
    while k < len(tokens):
        if tokens[k] == "'" or tokens[k].isspace():
            k += 1
        elif tokens[k] == "_":
            inner, k = _group(tokens, k + 1)
            sub = re.sub(r"\\text\{([^{}]*)\}|\\[ ,;!]|[\s{}]", r"\1", "".join(inner))
        elif tokens[k] == "^":
            inner, k = _group(tokens, k + 1)
            if inner[:1] != ["("]:
                _walk(inner, found)
        else:
            break
    return sub, k


def _group(tokens, k):
    """The tokens of the group {…}, or the one token, at k; and the place behind it."""
    while k < len(tokens) and tokens[k].isspace():
        k += 1
    if k >= len(tokens):
        return [], k
    if tokens[k] != "{":
        return [tokens[k]], k + 1
    depth, start = 1, k + 1
    for end in range(start, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[end], 0)
        if depth == 0:
            return tokens[start:end], end + 1
    return tokens[start:], len(tokens)

"""After the build: one style sheet for the whole site, with only the rules that some page can use.

Material's sheet is written for every site there is. A selector that names a class, an id or an attribute value which is
in no page and in no script cannot match here: it is left out, and so is a custom property that nothing reads. The rest
keeps its order. One request instead of six is also one round trip less before the first paint.
"""

import hashlib
import os
import re
from dataclasses import dataclass, field

LINK = re.compile(r'\s*<link rel="stylesheet" href="([^"]*?)(assets/[^"]+)">')
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[(){};]|[^"\'(){};]+', re.S)
_GROUP = re.compile(r"@(media|supports|container|layer)\b")
_DEPTH = {"(": 1, ")": -1, "{": 1, "}": -1}
# Material's script sets this attribute for a moment at every load, and the rule then restyles the whole page, twice.
_UNWANTED = "[data-md-color-switching]"


@dataclass
class Rule:
    """`prelude{body}`, a group such as @media with rules of its own, or a statement, which has neither."""

    prelude: str
    body: str | None = None
    rules: list["Rule"] = field(default_factory=list)

    def __str__(self):
        if self.body is None and not self.rules:
            return f"{self.prelude};"
        return f"{self.prelude}{{{self.body or ''.join(map(str, self.rules))}}}"


@dataclass(frozen=True)
class Known:
    """What a selector can match: names of classes and ids, (attribute, value) pairs, the words of the scripts."""

    names: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    words: frozenset[str]
    properties: frozenset[str]

    def matches(self, selector):
        """Whether the selector may match. What stands in :is(), :not(), :has() and :where() is not looked at."""
        if _UNWANTED in selector:
            return False
        while (bare := re.sub(r"\([^()]*\)", "", selector)) != selector:
            selector = bare
        pairs = re.findall(r"\[([\w-]+)=[\"']?([\w-]+)[\"']?\]", selector)
        names = re.findall(r"[.#]([A-Za-z_][\w-]*)", re.sub(r"\[[^\]]*\]", "", selector))
        return all(n in self.names or self.made(n) for n in names) and all(
            pair in self.pairs or (pair[0] != "dir" and pair[1] in self.words) for pair in pairs
        )

    def made(self, name):
        """Whether a script may make the name, whole or from its beginning: `tabbed-control--${direction}`."""
        return any(name[:i] in self.words for i in range(4, len(name)) if name[i - 1] in "-_") or name in self.words


# ---- reading -----------------------------------------------------------------------------------------------------
def parse(css):
    """The rules of a style sheet."""
    rules, text, depth = [], "", 0
    tokens = iter(_TOKEN.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.S)))
    for token in tokens:
        if depth == 0 and token in "{;":
            rules.append(_rule(tidy(text), _block(tokens) if token == "{" else None))
            text = ""
        else:
            depth += _DEPTH.get(token, 0)
            text += token
    return rules


def _rule(prelude, body):
    if body is not None and _GROUP.match(prelude):
        return Rule(prelude, rules=parse(body))
    return Rule(prelude, tidy(body) if body is not None else None)


def _block(tokens):
    """The text up to the brace that closes the block. Raises ValueError where there is none."""
    depth, text = 1, ""
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth == 0:
            return text
        text += token
    raise ValueError(f"a brace of the style sheet is never closed: {text[:60]!r}")


def tidy(text):
    """Without superfluous white space; strings stay as they are."""
    parts = [t if t[0] in "\"'" else re.sub(r"\s+", " ", t) for t in _TOKEN.findall(text)]
    return re.sub(r"([;{,]) (?=[^\"']*$|[\w.#&:*\[-])", r"\1", "".join(parts)).strip(" ;")


def split(text, mark):
    """The parts of a list of selectors (",") or of declarations (";"), not cut inside brackets or strings."""
    parts, depth = [""], 0
    for token in re.findall(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|.', text, re.S):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token, 0)
        if token == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def known(pages, scripts):
    """What the texts of the pages and of the scripts can bring into a page."""
    names, pairs = set(), set()
    for tag in {tag for page in pages for tag in re.findall(r"<[a-z][^<>]*>", page)}:
        for name, value in re.findall(r"([\w-]+)=[\"']?([^\"'<>]*)", tag):
            pairs.add((name, value))
            if name in ("class", "id"):
                names.update(value.split())
    words = {word for script in scripts for word in re.findall(r"[\w-]+", script)}
    read = {name for page in pages for name in re.findall(r"var\(\s*(--[\w-]+)", page)}
    return Known(frozenset(names), frozenset(pairs), frozenset(words), frozenset(read))


# ---- leaving out -------------------------------------------------------------------------------------------------
def usable(rules, what):
    """The rules with the selectors that may match."""
    kept = []
    for rule in rules:
        if rule.rules:
            rule = Rule(rule.prelude, None, usable(rule.rules, what))
            kept += [rule] if rule.rules else []
        elif rule.body is None or rule.prelude.startswith("@"):
            kept.append(rule)
        elif rule.body and (selectors := [s for s in split(rule.prelude, ",") if what.matches(s)]):
            kept.append(Rule(",".join(selectors), rule.body))
    return kept


def read_properties(rules, what):
    """The rules without custom properties that neither a rule nor a page nor a script reads."""
    while True:
        read = what.properties | what.words | set(re.findall(r"var\(\s*(--[\w-]+)", "".join(map(str, rules))))
        fewer = _without(rules, read)
        if str(fewer) == str(rules):
            return rules
        rules = fewer


def _without(rules, read):
    kept = []
    for rule in rules:
        if rule.rules:
            rule = Rule(rule.prelude, None, _without(rule.rules, read))
        elif rule.body and "{" not in rule.body:
            declared = [d for d in split(rule.body, ";") if not d.startswith("--") or d.split(":")[0].strip() in read]
            rule = Rule(rule.prelude, ";".join(declared))
        if rule.rules or rule.body or rule.body is None:
            kept.append(rule)
    return kept


def strip(css, what):
    """The style sheet without what cannot be used."""
    rules = [rule for rule in parse(css) if not rule.prelude.startswith("@charset")]
    return '@charset "UTF-8";' + "".join(map(str, read_properties(usable(rules, what), what)))


# ---- the site ----------------------------------------------------------------------------------------------------
def bundle(site):
    """Put all style sheets of the built site into one, and let every page link it. Returns its path."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    sheets = list(dict.fromkeys(sheet for text in pages.values() for _, sheet in LINK.findall(text)))
    scripts = [p.read_text(encoding="utf-8") for p in sorted((site / "assets").rglob("*.js")) if "lunr" not in p.parts]
    css = strip("\n".join(_rebased(site, sheet) for sheet in sheets), known(pages.values(), scripts))
    target = site / "assets" / f"style.{hashlib.sha256(css.encode()).hexdigest()[:8]}.css"
    target.write_text(css, encoding="utf-8")
    for path, text in pages.items():
        path.write_text(_linked_once(text, target.name), encoding="utf-8")
    for old in {site / sheet for sheet in sheets} - {target}:
        old.unlink()
        old.with_name(f"{old.name}.map").unlink(missing_ok=True)
    return target


def _linked_once(page, name):
    """The page with one link to the style sheet `name` in place of the first, and without the others."""
    links = LINK.findall(page)
    if not links:
        return page
    head, rest = LINK.sub("\0", page, count=1).split("\0")
    return f'{head}\n      <link rel="stylesheet" href="{links[0][0]}assets/{name}">{LINK.sub("", rest)}'


def _rebased(site, sheet):
    """The text of a style sheet with its relative addresses seen from assets/."""
    folder = os.path.relpath((site / sheet).parent, site / "assets")
    text = (site / sheet).read_text(encoding="utf-8")
    relative = r"url\(([\"']?)(?!data:|#|/)([^)\"']+)\1\)"
    return re.sub(relative, lambda m: f"url({os.path.normpath(f'{folder}/{m[2]}')})", text)

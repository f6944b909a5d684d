"""docs/planned.yaml as text: take an entry out, keeping every comment and the order of the rest."""

import re

from sitebuild import ROOT

PATH = ROOT / "docs" / "planned.yaml"


def take(slug, path=PATH):
    """Remove the entry of `slug` from the file and return its YAML lines. Raises ValueError where there is none."""
    text = path.read_text(encoding="utf-8")
    match = re.search(rf"^{slug}:\n((?:[ ]+.*\n)+)\n?", text, re.M)
    if match is None:
        raise ValueError(f"{slug} is not in {path.name}")
    path.write_text(text[: match.start()] + text[match.end() :], encoding="utf-8")
    return match[1]

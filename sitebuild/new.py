"""`make new concept=<slug>`: the files of a planned concept, from templates/concept, each in its room."""

import sys

from sitebuild import ROOT, planned
from sitebuild.concepts import load_map

ROOMS = {
    "page.md": "docs/{arc}/{slug}.md",
    "module.py": "kb/{arc}/{slug}.py",
    "twin.py": "kb/torch/{arc}/{slug}.py",
    "snippet.py": "snippets/{slug}.py",
    "snippet_torch.py": "snippets/{slug}_torch.py",
    "snippet_break.py": "snippets/{slug}_break.py",
    "figure.py": "figures/{slug}.py",
    "test.py": "tests/{arc}/test_{slug}.py",
}


def new(slug, root=ROOT):
    """Write every file that is not there yet and return their paths; the entry moves out of planned.yaml.

    Raises ValueError for a slug that is not on the map or has a page already.
    """
    the_map = load_map(root)
    if slug not in the_map.concepts:
        raise ValueError(f"{slug!r} is not on the map: write its entry into docs/planned.yaml first")
    concept = the_map[slug]
    if concept.live:
        raise ValueError(f"{slug} has a page already: docs/{concept.path}")
    entry = "".join(line[2:] + "\n" for line in planned.take(slug, root / "docs" / "planned.yaml").splitlines())
    written = []
    for template, room in ROOMS.items():
        path = root / room.format(arc=concept.arc, slug=slug)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fill(root / "templates" / "concept" / template, concept, entry), encoding="utf-8")
            written.append(path)
    return written


def fill(template, concept, entry):
    """The template's text with the concept's own words in it."""
    text = template.read_text(encoding="utf-8")
    words = {
        "slug": concept.slug,
        "title": concept.title,
        "arc": concept.arc,
        "summary": concept.summary,
        "entry": entry,
    }
    for name, value in words.items():
        text = text.replace(f"@{name}@", value)
    return text


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("make new concept=<slug>")
    try:
        for path in new(sys.argv[1]):
            print(path.relative_to(ROOT))
    except ValueError as error:
        sys.exit(str(error))
    print("Next: the test, the code, the page; add the page to nav in mkdocs.yml; make outputs; make check.")

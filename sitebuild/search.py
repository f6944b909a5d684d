"""The search index, made smaller and made to find the page that explains a thing before the places that mention it.

mkdocs writes one entry for each section. Here each page's first entry gets the words by which readers look for it, as
a field of its own that counts more than titles and text (`fields` in mkdocs.yml): its title, its terms on the map, the
symbols that it introduces, and `search: words:` of its front matter. A test asks that such a word stands on the page.
"""

import json
import re

from sitebuild import ROOT, notation
from sitebuild.concepts import front_matter, load_map

DOCS = ROOT / "docs"
_PARTS = re.compile(
    r"<pre>.*?</pre>|The code that draws this figure: figures/\w+\.py|(?:NumPyPyTorch )?snippets/\w+\.py", re.S
)
_EMPTY = re.compile(r"<(p|li|ul|ol)>\s*</\1>")
_NAMES_OF_SECTIONS = {"Example", "Where it leads"}  # the snippets and the edges of the map: found under their own names


def write(site):
    path = site / "search" / "search_index.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["docs"] = lean(content["docs"])
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def lean(entries):
    """The entries that a reader may want to find, without code, each page's first one with its words."""
    places = {entry["location"] for entry in entries}
    found = words()
    kept = []
    for entry in entries:
        if repeated(entry["location"], places):
            continue
        entry = {**entry, "text": readable(entry)}
        if entry["location"] in found:
            summary, entry["words"] = found[entry["location"]]
            entry["text"] = summary or entry["text"]
        if entry["text"] or entry["title"] not in _NAMES_OF_SECTIONS:
            kept.append(entry)
    return kept


def repeated(location, places):
    """The torch twin of a function that is in the index, and the glossary's line of a page that begins with it."""
    if location.startswith("api/torch-"):
        return location.replace("api/torch-", "api/", 1).replace("#kb.torch.", "#kb.", 1) in places - {location}
    page, _, anchor = location.partition("#")
    return page == "reference/glossary/" and anchor in load_map().concepts and load_map()[anchor].live


def readable(entry):
    """The text of an entry without code; of the reference only what each object means."""
    text = _PARTS.sub("", entry["text"])
    if entry["location"].startswith("api/"):
        text = re.sub(r"(</p>).*", r"\1", text, flags=re.S)
    return re.sub(r"\s+", " ", _EMPTY.sub("", text)).strip()


def words():
    """{page: (summary, words)}: what a page is about, and all by which it is looked for."""
    found, introduced = {}, symbols()
    for path in DOCS.rglob("*.md"):
        meta = front_matter(path)
        address = path.relative_to(DOCS).as_posix().removesuffix(".md").removesuffix("index")
        address = f"{address}/" if address and not address.endswith("/") else address
        names = [meta.get("title", ""), *meta.get("terms", []), *meta.get("chapters", []), *own_words(meta)]
        found[address] = about(meta), once([*names, *introduced.get(path.stem, [])])
    return found


def symbols():
    """{slug: names such as W_E and d_k}, for the first page that has them; single letters say too little."""
    first: dict[str, str] = {}
    for row in sorted((row for row in notation.rows() if row.pages), key=lambda row: place(row.pages[0])):
        base, sub = row.key
        if re.fullmatch(r"[A-Za-z]", base) and re.fullmatch(r"[A-Za-z]+", sub):
            first.setdefault(f"{base}_{sub}".lower(), row.pages[0])
    return {slug: [name for name in first if first[name] == slug] for slug in first.values()}


def place(slug):
    """How far down the map a page lies."""
    return list(load_map().concepts).index(slug)


def once(names):
    """Each word once, a plural not beside its singular: a page should not win by saying a word in many forms."""
    words = dict.fromkeys(word for name in names for word in re.split(r"[\s,-]+", name.lower()) if word)
    return " ".join(word for word in words if not (word.endswith("s") and word[:-1] in words))


def about(meta):
    """What the result list says of a page."""
    summary, terms = meta.get("summary", ""), [*meta.get("terms", []), *own_words(meta)]
    return f"<p>{summary}</p>" + (f"<p>Also: {', '.join(terms)}.</p>" if terms else "") if summary else ""


def own_words(meta):
    """`search: words:` of a page's front matter."""
    return (meta.get("search") or {}).get("words") or []

"""The site as one zip that opens from disk, search included: site/downloads/, and by `make offline` build/.

A browser treats a file otherwise than a page of a host: it opens no folder, runs no module script, starts no worker
from a file and fetches nothing. So in the bundle links to folders name their index.html, scripts are plain ones, their
data and the search index stand in scripts, and the search worker starts from a text. Otherwise the pages are the same.
"""

import base64
import json
import posixpath
import re
import shutil
import zipfile

from sitebuild import ROOT, macros, policy

NAME = posixpath.basename(macros.BUNDLE).removesuffix(".zip")
# What only a host needs, what the bundle holds in another form, and Material's search in other languages.
LEFT_OUT = re.compile(
    r"404\.html|_headers|\.nojekyll|robots\.txt|sitemap\.xml|search/.*|downloads/.*|assets/(cards/.*|home\.png)|.*\.map"
    r"|assets/javascripts/(lunr|workers)/.*|assets/.*\.safetensors"
)
SEARCH = "assets/search.js"
WORKER = """// A worker cannot start from a file on disk, but it can from a text.
{
  const text = %s, OfHost = Worker;
  globalThis.Worker = class extends OfHost {
    constructor() {
      super(URL.createObjectURL(new Blob([text])));
    }
  };
}
"""
README = """Deep Learning Knowledge Map

Open index.html in a browser. Nothing has to be installed, and nothing is fetched: search, map and mathematics work from
here. To run the code: `uv run snippets/softmax.py` in this folder, or `pip install wheels/{wheel}`.

The same site, kept up to date: {site}
Code: MIT. Text and figures: CC BY 4.0.
"""
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_ADDRESS = re.compile(r'(?<=\s)(href|src)="([^"#?]+)([^"]*)"')
_ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:|/")


def write(site):
    """The zip, the same bytes for the same site. Returns its path."""
    target = site / macros.BUNDLE
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name, data in sorted(files(site).items()):
            entry = zipfile.ZipInfo(f"{NAME}/{name}")  # dated 1980: the day of the build says nothing
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, data)
    return target


def files(site):
    """name -> bytes of everything in the bundle."""
    paths = {p.relative_to(site).as_posix(): p for p in site.rglob("*") if p.is_file()}
    kept = {name: path for name, path in paths.items() if not LEFT_OUT.fullmatch(name)}
    made = {name: changed(name, path, kept) for name, path in kept.items()}
    (wheel,) = (posixpath.basename(name) for name in kept if name.endswith(".whl"))
    made["README.txt"] = README.format(wheel=wheel, site=macros.site_url()).encode()
    return made | {name: text.encode() for name, text in search_files(site).items()}


def changed(name, path, kept):
    """The bytes of a file as it stands in the bundle."""
    kind = path.suffix
    if kind not in (".html", ".js", ".css", ".md", ".py", ".ipynb", ".txt"):
        return path.read_bytes()
    text = path.read_text(encoding="utf-8")
    if kind == ".html":
        text = page(text, name, kept)
    elif kind == ".js" and re.search(r"^export |import\.meta", text, re.M):
        text = plain_script(text, path)
    elif kind == ".css":
        text = re.sub(r"url\(([^)]*\.woff2)\)", lambda found: f"url({data_address(path.parent / found[1])})", text)
    elif name.startswith(("snippets/", "notebooks/")):
        text = nearby_wheel(text)
    return text.replace(f"uv run {macros.site_url()}", "uv run ").encode()


# ---- pages -------------------------------------------------------------------------------------------------------
def page(html, name, kept):
    """A page whose links work between files. Its policy goes: it speaks of a host, and here there is none."""
    html = policy.unguarded(html)
    html = _TAG.sub(lambda tag: _plain(_ADDRESS.sub(lambda a: _address(a, name, kept), tag[0])), html)
    up = posixpath.relpath(SEARCH, posixpath.dirname(name) or ".")
    return html.replace("</head>", f'<script src="{up}"></script></head>', 1)


def _plain(tag):
    """A module script as a plain one that, like a module, runs when the page is there."""
    if not tag.startswith("<script") or 'type="module"' not in tag:
        return tag
    tag = re.sub(r'\s*type="module"', "", tag)
    return tag if " defer" in tag else tag.replace("<script", "<script defer", 1)


def _address(found, name, kept):
    attribute, path, rest = found.groups()
    return f'{attribute}="{target(path, name, kept)}{rest}"'


def target(path, name, kept):
    """Where the page `name` finds `path` in the bundle; on the site, where the bundle does not hold it."""
    if _ELSEWHERE.match(path):
        return path
    if path.endswith("/") or posixpath.basename(path) in (".", ".."):
        path = f"{path.rstrip('/')}/index.html".removeprefix("./")
    place = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    return path if place in kept else macros.site_url() + place.removesuffix("index.html")


# ---- scripts -----------------------------------------------------------------------------------------------------
def plain_script(text, path):
    """A module without imports as a plain script; a file that it reads stands in it.

    Raises ValueError where something is left that only a module can do.
    """
    text = re.sub(r"^export (?=(async )?function|const|class)", "", text, flags=re.M)
    text = re.sub(
        r'new URL\("([\w.]+)", import\.meta\.url\)', lambda found: f'"{data_address(path.parent / found[1])}"', text
    )
    if left := re.search(r"^\s*(import|export)\b.*|import\.meta.*|\bimport\(.*", text, re.M):
        raise ValueError(f"{path.name} cannot be a plain script: {left[0]}")
    return f"(() => {{\n{text}}})();\n"


def data_address(path):
    """The file as a data: address."""
    kind = "font/woff2" if path.suffix == ".woff2" else "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def search_files(site):
    """The search worker as a text from which it can start, and the index where Material looks for it on disk."""
    (worker,) = (site / "assets" / "javascripts" / "workers").glob("search.*.js")
    text = re.sub(r"//# sourceMappingURL=.*", "", worker.read_text(encoding="utf-8"))
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    for doc in index["docs"]:
        doc["location"] = re.sub(r"(?<=/)(?=#|$)|^(?=#|$)", "index.html", doc["location"])
    shown = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    return {SEARCH: WORKER % json.dumps(text), "search/search_index.js": f"var __index = {shown}"}


# ---- code --------------------------------------------------------------------------------------------------------
def nearby_wheel(text):
    """A script or notebook that takes kb from the folder wheels/ of the bundle."""
    address = re.escape(macros.site_url()) + r'(wheels/[^"\\]+)'
    text = re.sub(rf'\\"kb @ {address}\\"', r"../\1", text)  # of a notebook, in JSON
    if found := re.search(rf'"kb @ {address}"', text):
        text = text.replace(found[0], '"kb"', 1)
        text = text.replace("\n# ///\n", f'\n# [tool.uv.sources]\n# kb = {{ path = "../{found[1]}" }}\n# ///\n', 1)
    return text


def main(site=ROOT / "site", folder=ROOT / "build"):
    """The bundle that was made with the site, where one looks for it."""
    folder.mkdir(exist_ok=True)
    print(shutil.copy2(site / macros.BUNDLE, folder))


if __name__ == "__main__":
    main()

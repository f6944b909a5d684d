"""Before the build: figures, the map's data, KaTeX, the wheel and the snippets that `uv run` can fetch, under docs/.

Everything it writes is ignored by git. A file is written only when its content changes.
"""

import os
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kb.checkpoints.safetensors import save
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from sitebuild import ROOT, figures, labs, macros
from sitebuild.concepts import load_map

DOCS = ROOT / "docs"
MORE = {"torch": "torch>=2.6", "matplotlib": "matplotlib"}  # what a script may import besides kb and numpy


def main():
    figures.draw_missing(figures.names())
    write(DOCS / "map.json", map_json())
    copy_katex()
    wheel = build_wheel()
    publish_snippets(wheel)
    publish_labs(wheel)
    publish_source()
    publish_digit_network()


def write(path, content):
    """Write text or bytes, unless the file holds just that."""
    data = content.encode() if isinstance(content, str) else content
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def map_json():
    from sitebuild.map_svg import map_json

    return map_json(load_map())


def copy_katex():
    """KaTeX's style sheet and its woff2 fonts (every browser that reads this site reads woff2)."""
    dist = ROOT / "node_modules" / "katex" / "dist"
    css = (dist / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r",url\([^)]*\.(?:woff|ttf)\) format\(\"(?:woff|truetype)\"\)", "", css)
    css = css.replace("font-display:block", "font-display:swap")
    write(DOCS / "assets" / "katex" / "katex.css", css)
    for font in sorted((dist / "fonts").glob("*.woff2")):
        write(DOCS / "assets" / "katex" / "fonts" / font.name, font.read_bytes())


def build_wheel():
    """The kb wheel, the same bytes for the same files; returns its file name."""
    from hatchling.builders.wheel import WheelBuilder

    with tempfile.TemporaryDirectory() as folder:
        built = Path(next(WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"])))
        write(DOCS / "wheels" / built.name, built.read_bytes())
        return built.name


def publish_snippets(wheel):
    """Every snippet with PEP 723 metadata: `uv run <url>` fetches the wheel of this very build."""
    kept = {path.name for path in (ROOT / "snippets").glob("*.py")}
    for name in sorted(kept):
        text = (ROOT / "snippets" / name).read_text(encoding="utf-8")
        write(DOCS / "snippets" / name, script_metadata(text, wheel) + text)
    for old in (DOCS / "snippets").glob("*.py"):
        if old.name not in kept:
            old.unlink()


def publish_labs(wheel):
    """Every lab, run; as a script that `uv run` can fetch, and as a notebook."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each runs in a process of its own
        list(pool.map(labs.record, labs.names()))
    for name in labs.names():
        text = labs.absolute(labs.source(name), macros.site_url())
        write(DOCS / "notebooks" / f"{name}.py", script_metadata(text, wheel) + text)
        write(DOCS / "notebooks" / f"{name}.ipynb", labs.notebook(text, f"{macros.site_url()}wheels/{wheel}"))


def script_metadata(text, wheel):
    needs = [f"kb @ {macros.site_url()}wheels/{wheel}", "numpy"]
    needs += [MORE[name] for name in MORE if re.search(rf"^(import|from) {name}", text, re.M)]
    listed = "\n".join(f'#   "{need}",' for need in needs)
    return f'# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n{listed}\n# ]\n# ///\n'


def publish_source():
    """The files of kb as they are, for the links of the reference."""
    target = DOCS / "source" / "kb"
    for path in sorted((ROOT / "kb").rglob("*.py")):
        write(target / path.relative_to(ROOT / "kb"), path.read_bytes())
    for old in target.rglob("*.py"):
        if not (ROOT / "kb" / old.relative_to(target)).exists():
            old.unlink()
    if not any(target.rglob("*.py")):
        shutil.rmtree(target, ignore_errors=True)


def publish_digit_network():
    """The shipped digit network and the held-out digits, for docs/assets/draw_digit.js; sixteenths as bytes."""
    held_out = split(load_digits())[1]
    images, labels = (16 * held_out.images).astype("u1"), held_out.labels.astype("u1")
    write(DOCS / "assets" / "digits_mlp.safetensors", save({**digits_mlp(), "images": images, "labels": labels}))


if __name__ == "__main__":
    main()

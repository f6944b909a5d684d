"""Building the site somewhere else: a copy of the project, so that site/ stays as it is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sitebuild import ROOT

# What is not part of a checkout: the environment, caches, and all that `make clean` removes.
NOT_COPIED = {".venv", "node_modules", ".git", ".hypothesis", "__pycache__"}
GENERATED = set(re.findall(r"^clean:.*\n\trm -rf (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M)[0].split())
GENERATED |= {"docs/assets/digits_mlp.safetensors", "docs/notebooks"}


def environment(folder=ROOT, **more):
    """The variables with which the Makefile runs things, with `folder` as the project."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(folder), "NO_MKDOCS_2_WARNING": "1", **more}


def copy_project(folder):
    """The sources in `folder`, nothing generated; node_modules is shared."""

    def left_out(at, names):
        inside = Path(at).relative_to(ROOT)
        return {n for n in names if n in NOT_COPIED or (n.startswith(".") and n.endswith("_cache"))} | {
            n for n in names if (inside / n).as_posix() in GENERATED
        }

    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


def run(folder, module, *arguments, check=True, **more):
    """`python -m module arguments` in a copy of the project."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(folder, **more), capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command[1:])} failed in {folder}:\n{done.stdout}\n{done.stderr}")
    return done


def build(folder, **more):
    """What `make site` does; returns the folder of the site, and as its sibling site-plain what mkdocs itself made."""
    run(folder, "sitebuild.prepare", **more)
    run(folder, "mkdocs", "build", "--strict", "--clean", **more)
    shutil.copytree(folder / "site", folder / "site-plain")
    run(folder, "sitebuild.finish", **more)
    return folder / "site"

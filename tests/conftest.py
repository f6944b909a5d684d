"""Two cores are shared by two test processes: one thread each, set before NumPy starts. GPU tests need a GPU."""

import gc
import os

gc.disable()  # until all tests are collected: they are no garbage, and looking among them takes seconds
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

# A busy machine is no failure, and two runs of one commit try the same examples.
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: group(item) != item.path.stem)  # what is small comes last and keeps both processes busy
    for item in items:
        if name := group(item):
            item.add_marker(pytest.mark.xdist_group(name))
    gc.freeze()
    gc.enable()
    gpu_items = [item for item in items if item.get_closest_marker("gpu")]
    if gpu_items and not cuda():
        for item in gpu_items:
            item.add_marker(pytest.mark.skip(reason="no CUDA device: the same cases ran on the CPU"))


def group(item):
    """What is done by one test process, since the rest of it finds in memory what the first has computed and loaded.

    That is a file; of the tests of the pages, a page; and where Chromium works, nothing but what a test asks for.
    """
    if mark := item.get_closest_marker("xdist_group"):
        return mark.args[0]
    if item.path.name == "test_pages.py" and hasattr(item, "callspec"):
        return item.callspec.params["page"].name if "page" in item.callspec.params else "pages"
    return None if item.get_closest_marker("browser") else item.path.stem


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """With RECORD=1 a whole run that passed goes into the page that says how the site is tested."""
    if os.environ.get("RECORD") and exitstatus == 0 and not config.option.markexpr and not config.option.keyword:
        record({kind: len(terminalreporter.stats.get(kind, [])) for kind in ("passed", "skipped")})


def record(counts):
    import datetime
    import json
    import platform
    from importlib.metadata import version

    from sitebuild.last_run import PATH

    names = ("numpy", "torch", "scipy", "transformers", "diffusers", "tokenizers", "mkdocs-material", "playwright")
    facts = {
        "Date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "Tests passed": f"{counts['passed']:,}",
        "Not run (no GPU)": f"{counts['skipped']:,}",
        "Python": platform.python_version(),
        **{name: version(name) for name in names},
    }
    PATH.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def cuda():
    import torch

    return torch.cuda.is_available()

"""Every snippet runs as it is copied, and prints what its `#>` comments say. `make outputs` rewrites the comments."""

import time
from pathlib import Path

import pytest
from pytest_examples import CodeExample, EvalExample

SNIPPETS = sorted((Path(__file__).parent.parent / "snippets").glob("*.py"))
SECONDS = 10  # a snippet takes under a second alone; the first import of torch and a busy machine take more


@pytest.mark.slow  # together they take a third of the time that `make check` may have
@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default::DeprecationWarning:torch")
def test_snippet(path, eval_example: EvalExample):
    example = CodeExample.create(path.read_text(encoding="utf-8"))
    example.path, example.start_line = path, 0
    eval_example.set_config(line_length=120)
    start = time.perf_counter()
    run = eval_example.run_print_update if eval_example.update_examples else eval_example.run_print_check
    try:
        run(example)
    except BaseException as error:  # pytest-examples 0.0.18 ends pytest itself on a failure inside a whole file
        raise AssertionError(f"{path.name}: {error or type(error).__name__}") from None
    assert time.perf_counter() - start < SECONDS

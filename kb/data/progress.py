"""A progress bar on standard error for long loops; silent where nobody watches (a pipe, a log, a test)."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")


def bar(label: str, done: int, total: int | None, width: int = 30) -> str:
    """The line itself: `label [#####.....] 5/10`, or `label 5` where the end is not known."""
    if total is None:
        return f"{label} {done:,}"
    filled = width * done // max(total, 1)
    return f"{label} [{'#' * filled:.<{width}}] {done:,}/{total:,}"


def show(label: str, done: int, total: int | None = None, force: bool = False) -> None:
    """Draws the bar over the one before it, when standard error is a terminal or `force` says so."""
    if force or _watched():
        print("\r" + bar(label, done, total), end="\n" if done == total else "", file=sys.stderr, flush=True)


def _watched() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def progress(iterable: Iterable[T], total: int | None = None, label: str = "", force: bool = False) -> Iterator[T]:
    """The same items, with a bar that moves after each; `total` is their number, found by len() where there is one."""
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    done = 0
    try:
        for done, item in enumerate(iterable, 1):
            yield item
            if total is None or done * 100 // max(total, 1) != (done - 1) * 100 // max(total, 1):  # one per percent
                show(label, done, total, force)
    finally:
        if done != total and (force or _watched()):  # stopped early, or an end that nobody knew: end the line
            print(file=sys.stderr)

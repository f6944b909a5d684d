"""Waiting for a page. Playwright's own wait_for_function calls eval later on, which the pages' policy forbids."""

import time


def until(page, script, arg=None, seconds=15):
    """Return when the script, run in the page, gives something true; fail when it never does."""
    end = time.monotonic() + seconds
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, f"not within {seconds} s: {script}"
        page.wait_for_timeout(20)

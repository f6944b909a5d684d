import io
import itertools

import pytest

from kb.data.progress import bar, progress, show


def test_the_items_pass_through_unchanged():
    assert list(progress([3, 1, 2])) == [3, 1, 2]
    assert list(itertools.islice(progress(itertools.count()), 3)) == [0, 1, 2]
    assert list(progress([])) == []


def test_the_bar_by_hand():
    assert bar("digits", 5, 10, width=4) == "digits [##..] 5/10"
    assert bar("digits", 10_000, 10_000, width=4) == "digits [####] 10,000/10,000"
    assert bar("digits", 0, 0, width=4) == "digits [....] 0/0"
    assert bar("digits", 5, None) == "digits 5"


def test_nothing_is_written_where_nobody_watches(capsys, monkeypatch):
    list(progress(range(5), label="x"))
    next(progress(range(5), label="x"))  # stopped early
    show("x", 1, 2)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr", None)  # as in a program without a console
    assert list(progress(range(5))) == [0, 1, 2, 3, 4]


def test_a_terminal_is_drawn_on(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    list(progress([7, 7], label="x"))
    assert terminal.getvalue() == f"\r{bar('x', 1, 2)}\r{bar('x', 2, 2)}\n"


def test_the_line_ends_with_the_loop_however_it_ends(capsys):
    list(progress(iter("ab"), label="x", force=True))  # no len()
    assert capsys.readouterr().err == "\rx 1\rx 2\n"
    for _ in progress(range(2), force=True):
        break
    assert capsys.readouterr().err == "\n"
    list(progress("ab", total=4, label="x", force=True))
    assert capsys.readouterr().err.endswith("2/4\n")


def test_a_long_loop_is_redrawn_once_per_percent(capsys):
    list(progress(range(10_000), force=True))
    assert capsys.readouterr().err.count("\r") == 100


def test_an_error_in_the_loop_is_not_swallowed(capsys):
    def broken():
        yield 1
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        list(progress(broken(), force=True))
    assert capsys.readouterr().err.endswith("\n")

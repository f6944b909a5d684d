"""GPT-2's two vocabulary files: vocab.json, the number of every token, and merges.txt, one merge of byte-pair encoding
per line.

Tokens are bytes, and many bytes do not print. The files spell a byte that prints well as the character that it is in
Latin-1, and the other 68 as the letters from U+0100 on: a space, byte 32, is "Ġ". The 256 bytes are numbered in this
order, so that token 0 is "!" and not byte 0.

Source: Radford et al. 2019, "Language models are unsupervised multitask learners", code:
https://github.com/openai/gpt-2/blob/master/src/encoder.py
"""

import itertools
import json
from collections import Counter
from pathlib import Path

_PRINTED = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = [*_PRINTED, *sorted(set(range(256)) - set(_PRINTED))]  # the bytes of the tokens 0, 1, ... 255
_LETTER = {byte: chr(byte if n < len(_PRINTED) else 256 + n - len(_PRINTED)) for n, byte in enumerate(BYTES)}
_BYTE = {letter: byte for byte, letter in _LETTER.items()}


def spelled(token):
    """A token, some bytes, in the letters of the files: b" the" is "Ġthe"."""
    return "".join([_LETTER[byte] for byte in token])


def unspelled(text):
    """The bytes that the files spell so. Raises KeyError for any other letter."""
    return bytes([_BYTE[letter] for letter in text])


def write_vocabulary(vocab_json, merges_txt, vocab, merges):
    """Write both files. vocab: {bytes, or str for a special token: number}, merges: [(bytes, bytes)].

    Raises ValueError for a special token that is spelled like another token.
    """
    tokens = {t if isinstance(t, str) else spelled(t): n for t, n in sorted(vocab.items(), key=lambda item: item[1])}
    if len(tokens) < len(vocab):
        raise ValueError(f"{vocab_json}: a special token is spelled like another token, the file could not hold both")
    lines = ["#version: 0.2", *(f"{spelled(left)} {spelled(right)}" for left, right in merges), ""]
    Path(vocab_json).write_text(json.dumps(tokens, ensure_ascii=False), encoding="utf-8", newline="\n")
    Path(merges_txt).write_text("\n".join(lines), encoding="utf-8", newline="\n")


def read_vocabulary(vocab_json, merges_txt):
    """({bytes, or str for a special token: number}, [(bytes, bytes)]) from both files.

    What is neither a byte nor made by a merge is a special token. Raises ValueError, with the file and the reason, for
    a file that is not of its form, or where one file does not fit the other.
    """
    numbers = _read_numbers(Path(vocab_json))
    merges = _read_merges(Path(merges_txt), numbers, vocab_json)
    ordinary = {*_BYTE, *(left + right for left, right in merges)}
    if unmade := [token for token in itertools.chain.from_iterable(merges) if token not in ordinary]:
        raise ValueError(f"{merges_txt}: a merge joins the token {unmade[0]!r}, which no merge makes")
    if missing := [letter for letter in _BYTE if letter not in numbers]:
        raise ValueError(f"{vocab_json}: the token {missing[0]!r} for the byte {_BYTE[missing[0]]} is missing")
    vocab = {unspelled(token) if token in ordinary else token: n for token, n in numbers.items()}
    return vocab, [(unspelled(left), unspelled(right)) for left, right in merges]


def _read_numbers(path):
    """{token as it is spelled: number}: the numbers 0, 1, 2, ..., each once."""
    try:
        numbers = json.loads(_read(path), object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a JSON object of tokens: {error}") from None
    if not isinstance(numbers, dict):
        raise ValueError(f"{path}: expected a JSON object {{token: number}}, not a {type(numbers).__name__}")
    for token, n in numbers.items():
        if type(n) is not int or not 0 <= n < len(numbers):
            raise ValueError(f"{path}: the number of {token!r} is {n!r}, expected 0 to {len(numbers) - 1}")
    if repeated := _repeated(numbers.values()):
        raise ValueError(f"{path}: two tokens have the number {repeated[0]}")
    return numbers


def _without_repetition(pairs):
    for token, _ in pairs:
        if not token or any("\ud800" <= letter <= "\udfff" for letter in token):
            raise ValueError(f"{token!r} is not a token")
    if repeated := _repeated(token for token, _ in pairs):
        raise ValueError(f"the token {repeated[0]!r} is there twice")
    return dict(pairs)


def _read_merges(path, numbers, vocab_json):
    """[(left, right)] as they are spelled; a first line with the version is passed over."""
    merges: list[tuple] = []
    for n, line in enumerate(_read(path).removesuffix("\n").split("\n"), start=1):
        if n == 1 and (line.startswith("#version") or not line):
            continue
        parts = line.removesuffix("\r").split(" ")
        if len(parts) != 2 or not all(parts):
            raise ValueError(f"{path}, line {n}: expected two tokens with one space between them, found {line!r}")
        for token in (*parts, "".join(parts)):
            if token not in numbers:
                raise ValueError(f"{path}, line {n}: the token {token!r} is not in {vocab_json}")
        if odd := [letter for letter in line if letter not in _BYTE and letter not in " \r"]:
            raise ValueError(f"{path}, line {n}: {odd[0]!r} is not one of the 256 letters that stand for bytes")
        merges.append(tuple(parts))
    if repeated := _repeated(merges):
        raise ValueError(f"{path}: the merge {' '.join(repeated[0])!r} is there twice")
    return merges


def _repeated(values):
    return [value for value, times in Counter(values).items() if times > 1]


def _read(path):
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}") from None

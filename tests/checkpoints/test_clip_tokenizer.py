import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.checkpoints.clip_tokenizer import END, START, CLIPTokenizer, pre_tokenize
from kb.checkpoints.vocabulary import BYTES, spelled
from kb.data.tales import tales


def learned(text, count):
    """`count` merges of the words of a text, by the plainest counting there is."""
    words = Counter((*spelled(w.encode())[:-1], spelled(w.encode())[-1] + "</w>") for w in pre_tokenize(text))
    merges = []
    for _ in range(count):
        pairs = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        merges.append(max(pairs, key=lambda pair: (pairs[pair], pair)))
        words = Counter({tuple(_joined(word, merges[-1])): times for word, times in words.items()})
    return merges


def _joined(word, pair):
    out = []
    for part in word:
        out = [*out[:-1], out[-1] + part] if out and (out[-1], part) == pair else [*out, part]
    return out


def write_tokenizer(folder, count=60, **said):
    """The files of a small tokenizer in the order of CLIP's: bytes, bytes that end a word, merges, start, end."""
    letters = [spelled(bytes([byte])) for byte in BYTES]
    merges = learned(tales(3000), count)
    tokens = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges), START, END]
    folder.mkdir(exist_ok=True)
    numbers = {token: n for n, token in enumerate(dict.fromkeys(tokens))}
    (folder / "vocab.json").write_text(json.dumps(numbers), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 20, "pad_token": END, **said}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tokenizer(tmp_path_factory.mktemp("clip") / "tokenizer")


@pytest.fixture(scope="module")
def ours(folder):
    return CLIPTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def theirs(folder):
    from transformers import CLIPTokenizer as Peer

    return Peer.from_pretrained(folder)


def peer_ids(peer, texts):
    return peer(texts, padding="max_length", max_length=20, truncation=True, return_tensors="np")["input_ids"]


TEXTS = [
    "",
    "a photo of a thick seven",
    "  The   WEATHER was\tcold,\nand she didn't go!!  ",
    "it's they'll I'M 42 000 x2y",
    "Ünïcödé ﬁ Å Å 東京 🎉🎈 ½ ² Ⅷ ٣",
    "don''t 's'll ... --- <|x|> a_b  c",
    f"before {END} after {START}",
    "word " * 40,
    "ΣΑΣ İ ẞ",
]


# ---- transformers, the oracle ------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_numbers_of_transformers(ours, theirs, text):
    np.testing.assert_array_equal(ours.encode(text), peer_ids(theirs, [text])[0])


@pytest.mark.slow
def test_the_numbers_of_transformers_for_any_text(ours, theirs):
    @settings(max_examples=60, deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=30))
    def same(text):
        np.testing.assert_array_equal(ours.encode(text), peer_ids(theirs, [text])[0])

    same()


@pytest.mark.slow
def test_stories_too_and_several_at_once(ours, theirs):
    texts = tales(6000).split(". ")[:60]
    np.testing.assert_array_equal(ours.encode_all(texts), peer_ids(theirs, texts))


@pytest.mark.slow
def test_one_file_that_holds_both(ours, theirs, tmp_path):
    """What transformers writes since version 5."""
    theirs.save_pretrained(tmp_path)
    assert not (tmp_path / "vocab.json").exists()
    same = CLIPTokenizer.from_pretrained(tmp_path)
    np.testing.assert_array_equal(same.encode_all(TEXTS), ours.encode_all(TEXTS))


@pytest.mark.slow
def test_another_token_may_fill_up(tmp_path):
    from transformers import CLIPTokenizer as Peer

    folder = write_tokenizer(tmp_path / "t", pad_token="!")
    ours = CLIPTokenizer.from_pretrained(folder)
    np.testing.assert_array_equal(ours.encode("a b"), peer_ids(Peer.from_pretrained(folder), ["a b"])[0])
    assert ours.encode("a b")[-1] == ours.vocab["!"]


# ---- by hand -----------------------------------------------------------------------------------------------------
def test_by_hand():
    """The merge that was learned first goes first: l o w</w> becomes lo w</w>, and then one token."""
    vocab = {t: n for n, t in enumerate(["l", "o", "w</w>", "lo", "ow</w>", "low</w>", START, END])}
    tokenizer = CLIPTokenizer(vocab, [("l", "o"), ("o", "w</w>"), ("lo", "w</w>")])
    assert tokenizer.tokens("Low LOW") == ["low</w>", "low</w>"]
    np.testing.assert_array_equal(tokenizer.encode("low", 6), [6, 5, 7, 7, 7, 7])
    np.testing.assert_array_equal(tokenizer.encode("low low low low", 4), [6, 5, 5, 7])
    np.testing.assert_array_equal(tokenizer.encode("x", 4), [6, 7, 7, 7])  # unknown: an end token
    assert pre_tokenize("It's 42!") == ["it", "'s", "4", "2", "!"]


# ---- error messages ----------------------------------------------------------------------------------------------
def test_errors(tmp_path):
    with pytest.raises(ValueError, match=r"no token '<\|startoftext\|>'"):
        CLIPTokenizer({END: 0}, [])
    folder = write_tokenizer(tmp_path / "t", 3)
    (folder / "merges.txt").write_text("#version\na b c\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"t: a merge is of two tokens, found \['a', 'b', 'c'\]"):
        CLIPTokenizer.from_pretrained(folder)
    (folder / "vocab.json").write_text('{"a": "b"}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"t: the vocabulary must number every token"):
        CLIPTokenizer.from_pretrained(folder)
    (folder / "vocab.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"vocab.json: expected a JSON object, found list"):
        CLIPTokenizer.from_pretrained(folder)
    (folder / "vocab.json").unlink()
    for text in ('{"model": []}', '{"model": {"vocab": ["a"]}}', '{"model": {"vocab": {"a": -1}}}'):
        (folder / "tokenizer.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="t: the vocabulary must number every token"):
            CLIPTokenizer.from_pretrained(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"vocab\.json"):
        CLIPTokenizer.from_pretrained(folder)

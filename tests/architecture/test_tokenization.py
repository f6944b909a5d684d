import functools
import itertools
import json
import pickle
import re
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
import regex
import tiktoken
import tokenizers
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, pre_tokenizers, trainers

import kb.architecture.tokenization as kb
import kb.torch.architecture.tokenization as kt
from kb.checkpoints.vocabulary import BYTES, spelled, unspelled
from tests.contract import Case, contract, gpu_contract

IDS = np.array([1, 1, 1, 2, 3, 1, 2, 1, 1])
CASES = [
    Case(kb.count_pairs, ids=IDS),
    Case(kb.count_pairs, ids=np.zeros(1, int)),
    Case(kb.merge_pair, ids=IDS, pair=np.array([1, 2]), new=9),
    Case(kb.merge_pair, ids=IDS, pair=np.array([1, 1]), new=9),
    Case(kb.merge_pair, ids=IDS.astype(np.uint16), pair=np.array([3, 3]), new=300),
    Case(kb.merge_pair, ids=np.zeros(1, int), pair=np.array([0, 0]), new=9),
]
test_contract = contract(CASES, kt)
test_on_gpu = gpu_contract(CASES, kt)

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # openai/gpt-2, encoder.py
END = "<|endoftext|>"
TEXT = (
    "The cat sat on the mat, and the dog didn't like that: \"That's my mat!\" The cat's 12 kittens weren't there.\n\n"
    "  Später, um 10 Uhr, fraß die Katze 3½ Mäuse; 猫は魚を食べた。 Ελληνικά, русский العربية 😀 naïve café\t\tend \n"
) * 3 + "aaaa aaaaa aaaaaaa bananabanana 000 00000 ==== ====== " * 4
any_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
runs = st.text("aab ", max_size=60)  # runs of equal letters, where the order of the merges shows
words = st.text("abc 'sτ1!😀\n", max_size=60)


@functools.cache
def merges():
    return tuple(kb.train_bpe(TEXT, 150))


@functools.cache
def tokenizer():
    return kb.Tokenizer(merges(), END)


def in_tiktoken(ours):
    ranks = {token: n for token, n in ours.vocab.items() if isinstance(token, bytes)}
    special = {name: ours.vocab[name] for name in ours.special}
    return tiktoken.Encoding("ours", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens=special)


def in_tokenizers(vocab, merges):
    """Hugging Face's byte-level BPE with this vocabulary."""
    theirs = tokenizers.Tokenizer(models.BPE(vocab, merges))
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = decoders.ByteLevel()
    return theirs


def trained_by_hugging_face(text, num_merges):
    """The merges that Hugging Face's trainer learns, as pairs of bytes."""
    theirs = in_tokenizers({}, [])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + num_merges, show_progress=False, initial_alphabet=alphabet)
    theirs.train_from_iterator([text], trainer)
    found = json.loads(theirs.to_str())["model"]["merges"]
    return [(unspelled(left), unspelled(right)) for left, right in found]


# ---- any text goes there and back --------------------------------------------------------------------------------
@settings(max_examples=300)
@given(any_text | words)
def test_any_text_round_trips(text):
    ids = tokenizer().encode(text)
    assert tokenizer().decode(ids, errors="strict") == text
    assert b"".join(tokenizer().decode_bytes(ids)) == text.encode()
    assert "".join(kb.pre_tokenize(text)) == text
    assert all(0 <= i < tokenizer().vocab_size for i in ids)


@pytest.mark.slow
def test_every_character_of_unicode_round_trips():
    text = "".join(chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i <= 0xDFFF)
    plain = kb.Tokenizer([])
    assert plain.decode(plain.encode(text), errors="strict") == text


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "\r\n", "a\u0301", "\ufeffa", "\U0010ffff", END])
def test_odd_texts(text):
    assert tokenizer().decode(tokenizer().encode(text)) == text


@pytest.mark.parametrize("function", [kb.pre_tokenize, lambda t: tokenizer().encode(t), lambda t: kb.train_bpe(t, 3)])
def test_a_lone_surrogate_is_refused(function):
    with pytest.raises(ValueError, match=r"the lone surrogate '\\ud83d' at position 2"):
        function("ab\ud83d")
    with pytest.raises(ValueError, match="text must be a str, not bytes"):
        function(b"ab")


# ---- words -------------------------------------------------------------------------------------------------------
def kind(pattern, letter):
    """Which of the pattern's classes a character is in, seen from outside: what it joins to one word with."""
    return next((k for k, first in (("L", "a"), ("N", "1"), ("O", "!")) if len(pattern(first + letter)) == 1), "S")


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 17])
def test_the_pattern_is_exact_for_all_of_unicode_that_python_knows(step):
    """Against the `regex` module, for which the pattern was written: a later version of Unicode differs only in
    characters that Python's has not assigned yet."""
    theirs = regex.compile(GPT2_PATTERN)
    known = [chr(i) for i in range(0, sys.maxunicode + 1, step) if unicodedata.category(chr(i)) not in ("Cn", "Cs")]
    assert len(known) > 280_000 / step
    text = "".join(f"a{letter}1{letter}\n" for letter in known)
    assert kb.pre_tokenize(text) == theirs.findall(text)


@pytest.mark.slow
def test_the_pattern_is_that_of_tiktoken_for_all_of_unicode_that_python_knows():
    """tiktoken does not show its words; but a word that is a token stays whole, and any other falls into bytes."""
    known = [chr(i) for i in range(sys.maxunicode + 1) if unicodedata.category(chr(i)) not in ("Cn", "Cs")][::5]
    whole = {first + letter for first in "a1" for letter in known}
    tokens = [bytes([byte]) for byte in range(256)] + sorted(text.encode() for text in whole if len(text.encode()) > 1)
    ranks = {token: n for n, token in enumerate(tokens)}
    theirs = tiktoken.Encoding("words", pat_str=GPT2_PATTERN, mergeable_ranks=ranks, special_tokens={})
    for first in "a1":
        text = "".join(f"{first}{letter}\n" for letter in known)
        ours = [
            n
            for word in kb.pre_tokenize(text)
            for n in ([ranks[word.encode()]] if word in whole else list(word.encode()))
        ]
        assert theirs.encode_ordinary(text) == ours


def test_unassigned_characters_are_signs():
    unassigned = [chr(i) for i in range(sys.maxunicode + 1) if unicodedata.category(chr(i)) == "Cn"]
    assert {kind(kb.pre_tokenize, letter) for letter in unassigned[::97]} == {"O"}


@pytest.mark.slow
def test_the_pattern_is_that_of_tokenizers_for_all_of_unicode_that_python_knows():
    theirs = pre_tokenizers.ByteLevel(add_prefix_space=False)

    def pattern(text):
        return theirs.pre_tokenize_str(text)

    known = [chr(i) for i in range(sys.maxunicode + 1) if unicodedata.category(chr(i)) not in ("Cn", "Cs")]
    for letter in known[::3]:
        assert kind(kb.pre_tokenize, letter) == kind(pattern, letter), hex(ord(letter))


@settings(max_examples=200)
@given(words | st.text("a1!'st \t\n\x1c\x85\xa0\u3000é٣", max_size=30))
def test_words_as_regex_cuts_them(text):
    assert kb.pre_tokenize(text) == regex.findall(GPT2_PATTERN, text)


def test_python_has_four_more_spaces():
    """The trap that _SPACE avoids: \\x1c to \\x1f are spaces to str.isspace and to re's \\s, not to Unicode."""
    spaces = {chr(i) for i in range(sys.maxunicode + 1) if chr(i).isspace()}
    assert all(re.match(r"\s", space) for space in spaces)
    ours = {c for c in spaces if kind(kb.pre_tokenize, c) == "S"}
    assert spaces - ours == set("\x1c\x1d\x1e\x1f")


def test_words_by_hand():
    words = ["It", "'s", " 2", " cats", ",", " ", " isn", "'t", " it", "?", " \n"]
    assert kb.pre_tokenize("It's 2 cats,  isn't it? \n") == words
    assert kb.pre_tokenize("IT'S") == ["IT", "'", "S"], "GPT-2 knows only the small endings"


# ---- training ----------------------------------------------------------------------------------------------------
def recounting(text, num_merges):
    """Algorithm 1 as it is told: count all pairs of all words anew for every merge."""
    token, number = [bytes([b]) for b in BYTES], {bytes([b]): n for n, b in enumerate(BYTES)}
    words = Counter(tuple(number[bytes([b])] for b in word.encode()) for word in kb.pre_tokenize(text))
    merges = []
    for _ in range(num_merges):
        count = Counter()
        for word, times in words.items():
            for pair in itertools.pairwise(word):
                count[pair] += times
        if not count:
            break
        best = min(count, key=lambda pair: (-count[pair], pair))
        left, right = (token[n] for n in best)
        if left + right not in number:
            number[left + right] = len(token)
            token.append(left + right)
        joined = Counter()
        for word, times in words.items():
            joined[tuple(kb.merge_pair(np.array(word), np.array(best), number[left + right]).tolist())] += times
        words = joined
        merges.append((left, right))
    return merges


@settings(max_examples=60)
@given(words | runs, st.integers(0, 30))
def test_training_is_recounting(text, num_merges):
    assert kb.train_bpe(text, num_merges) == recounting(text, num_merges)


@settings(max_examples=60)
@given(words.map(lambda text: text * 2) | any_text, st.integers(1, 30))
def test_training_is_hugging_face_s_ties_included(text, num_merges):
    """Its vocabulary stops at a size, ours at a number of merges: they differ where two merges spell one token."""
    ours = kb.train_bpe(text, num_merges)
    if len({left + right for left, right in ours}) == len(ours):
        assert ours == trained_by_hugging_face(text, num_merges)


def test_a_larger_text_as_hugging_face():
    assert list(merges()) == trained_by_hugging_face(TEXT, 150)


def test_merges_do_not_depend_on_the_order_of_the_words():
    shuffled = kb.pre_tokenize(TEXT)
    np.random.default_rng(0).shuffle(shuffled)
    again = kb._Pairs(Counter(shuffled))
    assert again.most_frequent() == kb._Pairs(Counter(kb.pre_tokenize(TEXT))).most_frequent()


def test_training_by_hand():
    """ab is there 3 times, b  twice; then " ab" joins what the first merge made. Ties: the smaller numbers first."""
    assert kb.train_bpe("ab ab abc", 2) == [(b"a", b"b"), (b" ", b"ab")]
    assert kb.train_bpe("dc ba", 1) == [(b"b", b"a")], "(b, a) and (d, c) once each: b comes before d; then ' b'"
    assert kb.train_bpe("aaa", 5) == [(b"a", b"a"), (b"aa", b"a")], "nothing is left to merge"
    assert kb.train_bpe("", 5) == []


def test_a_negative_number_of_merges_is_refused():
    with pytest.raises(ValueError, match="num_merges is -1"):
        kb.train_bpe("a", -1)


def test_a_merge_touches_only_the_words_that_have_the_pair():
    """The work is counted: a merge of one pair in one word among many looks at that word alone."""
    pairs = kb._Pairs(Counter({"xy": 1, **{f"ab{i}": 1 for i in range(500)}}))
    seen = []
    joined = pairs._joined
    pairs._joined = lambda place, *rest: seen.append(place) or joined(place, *rest)
    pairs.merge((kb._NUMBER[ord("x")], kb._NUMBER[ord("y")]), 256)
    assert seen == [0]


# ---- encoding ----------------------------------------------------------------------------------------------------
@settings(max_examples=200)
@given(words | runs | any_text)
def test_encoding_as_tokenizers(text):
    vocab = {spelled(token): n for token, n in tokenizer().vocab.items() if isinstance(token, bytes)}
    theirs = in_tokenizers(vocab, [(spelled(left), spelled(right)) for left, right in merges()])
    if all(unicodedata.category(c) != "Cn" for c in text):
        ids = tokenizer().encode(text)
        assert ids == theirs.encode(text).ids
        assert theirs.decode(ids) == text


@settings(max_examples=200)
@given(words | runs | any_text)
def test_encoding_as_tiktoken(text):
    theirs = in_tiktoken(tokenizer())
    if all(unicodedata.category(c) != "Cn" for c in text):
        assert tokenizer().encode(text) == theirs.encode_ordinary(text)
        assert tokenizer().encode(text + END + text, "all") == theirs.encode(text + END + text, allowed_special="all")


@settings(max_examples=60)
@given(runs.map(lambda text: text * 3), runs)
def test_encoding_is_the_merges_one_after_the_other(seen, text):
    """The slow way, as the paper tells it: apply every merge in turn to the whole word."""
    ours = kb.Tokenizer(kb.train_bpe(seen, 12))
    slow = []
    for word in kb.pre_tokenize(text):
        ids = np.array([ours.vocab[bytes([byte])] for byte in word.encode()])
        for left, right in ours.merges:
            ids = kb.merge_pair(ids, np.array([ours.vocab[left], ours.vocab[right]]), ours.vocab[left + right])
        slow += ids.tolist()
    assert ours.encode(text) == slow


def steps_of(ours, text):
    """How many times the encoding looks up a pair of neighbours."""

    class Counting(dict):
        looked_up = 0

        def get(self, *args):
            Counting.looked_up += 1
            return super().get(*args)

    ours._merge = Counting(ours._merge)
    ours.encode(text)
    return Counting.looked_up


def test_a_word_of_100_000_letters_takes_100_000_steps_and_not_their_square():
    """Each merge removes one token, so there are at most n - 1; each looks up at most 3 pairs, plus n at the start."""
    long = "ab" * 50_000
    assert len(long) < steps_of(kb.Tokenizer(kb.train_bpe("abab abababab", 9)), long) <= 4 * len(long)
    assert len(long) < steps_of(kb.Tokenizer(kb.train_bpe("aaaa aaaaaaaa", 9)), "a" * 100_000) <= 4 * len(long)


def test_the_memory_of_words_is_bounded(monkeypatch):
    monkeypatch.setattr(kb, "MOST", 3)
    ours = kb.Tokenizer(merges())
    for text in ("a b c d e", "f g", "a b", "h i j"):
        assert ours.decode(ours.encode(text)) == text
    assert set(ours._known) == {"h", " i", " j"}, "a b c d e was forgotten at f g, which was with a b at h i j"


def test_special_tokens_only_where_they_are_allowed():
    ours = kb.Tokenizer(merges(), ["<|a|>", "<|a|>b", "x.y"])
    text = "x<|a|>bx.y<|a|>xzy"
    assert not {ours.vocab[name] for name in ours.special} & set(ours.encode(text))
    tokens = [ours.tokens[i] for i in ours.encode(text, "all")]
    assert tokens == [b"x", "<|a|>b", "x.y", "<|a|>", b"x", b"z", b"y"], "the longest name, and a dot is a dot"
    assert ours.vocab["<|a|>b"] not in ours.encode(text, {"<|a|>"})
    assert ours.decode(ours.encode(text, "all")) == text
    with pytest.raises(ValueError, match=r"'<\|b\|>' in allowed_special is not one of"):
        ours.encode(text, ["<|b|>"])


# ---- decoding ----------------------------------------------------------------------------------------------------
def test_half_a_character():
    ours = kb.Tokenizer([])
    ids = ours.encode("é")
    assert len(ids) == 2
    assert ours.decode(ids[:1]) == "\ufffd"
    assert ours.decode(ids[:1], errors="ignore") == ""
    with pytest.raises(UnicodeDecodeError):
        ours.decode(ids[:1], errors="strict")


def test_ids_may_be_arrays_or_tensors():
    ids = tokenizer().encode("the cat")
    for same in (tuple(ids), np.array(ids), torch.tensor(ids), [np.int32(i) for i in ids], iter(ids)):
        assert tokenizer().decode(same) == "the cat"


@pytest.mark.parametrize("bad", [-1, 407, 10**30])
def test_a_number_that_is_no_token_is_refused(bad):
    assert tokenizer().vocab_size == 407
    with pytest.raises(ValueError, match=f"{bad} is not a token; they are numbered 0 to 406"):
        tokenizer().decode([0, bad])


@pytest.mark.parametrize("bad", [[0.0], ["a"], [None], [[1]], 5, np.ones((2, 2), int), np.ones(2)])
def test_what_is_no_sequence_of_whole_numbers_is_refused(bad):
    with pytest.raises(ValueError, match="ids must be a sequence of whole numbers"):
        tokenizer().decode(bad)


# ---- a tokenizer -------------------------------------------------------------------------------------------------
def test_numbers_are_gpt_2_s():
    """Facts of the published vocabulary: "!" is 0, "A" 32, "a" 64, the space 220, the first merge 256."""
    ours = tokenizer()
    assert [ours.vocab[token] for token in (b"!", b"A", b"a", b" ")] == [0, 32, 64, 220]
    assert ours.vocab[merges()[0][0] + merges()[0][1]] == 256
    assert ours.vocab[END] == ours.vocab_size - 1 == 406


def test_a_tokenizer_can_be_copied_by_pickle():
    again = pickle.loads(pickle.dumps(tokenizer()))
    assert again.encode(TEXT) == tokenizer().encode(TEXT)


def test_two_merges_may_spell_one_token():
    ours = kb.Tokenizer([(b"a", b"a"), (b"aa", b"a"), (b"a", b"aa")])
    assert ours.vocab_size == 258
    assert ours.decode(ours.encode("aaaaaa")) == "aaaaaa"


def test_a_merge_of_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"merge 1 is of b'a' and b'bc', but no merge before made b'bc'"):
        kb.Tokenizer([(b"a", b"b"), (b"a", b"bc"), (b"b", b"c")])


@pytest.mark.parametrize("special", [[""], ["x", "x"]])
def test_special_names_are_refused(special):
    with pytest.raises(ValueError, match="special names must not be empty or repeated"):
        kb.Tokenizer([], special)


# ---- mutation: without bytes, and without words ------------------------------------------------------------------
def test_without_bytes_a_new_letter_has_no_token():
    """What the 256 bytes are for: a vocabulary of the letters that were seen cannot write the next one."""
    seen = set("the cat sat on the mat")
    assert "é" not in seen
    assert all(bytes([byte]) in tokenizer().vocab for byte in "é😀猫".encode())


def test_without_pre_tokenisation_merges_reach_across_words(monkeypatch):
    text = "of the dog. of the cat. of the day. " * 5
    kept = kb.train_bpe(text, 40)
    assert not any(b" " in (left + right)[1:] for left, right in kept)
    monkeypatch.setattr(kb, "pre_tokenize", lambda text: [text])
    assert any(b"of the" in left + right for left, right in kb.train_bpe(text, 40))

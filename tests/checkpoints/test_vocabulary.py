import json
import os
import re

import numpy as np
import pytest
import tokenizers

from kb.architecture.tokenization import Tokenizer, train_bpe
from kb.checkpoints.vocabulary import BYTES, read_vocabulary, spelled, unspelled

TEXT = 'The cat\'s "mat" — naïve café 😀, 12 × 3 # ## ###\n\n\t猫 the the thesis ' * 4
END = "<|endoftext|>"


@pytest.fixture
def files(tmp_path):
    """The two files of a tokenizer that was trained here."""
    paths = tmp_path / "vocab.json", tmp_path / "merges.txt"
    Tokenizer(train_bpe(TEXT, 40), END).to_files(*paths)
    return paths


def changed(files, vocab=None, merges=None):
    """The files after `vocab`, a function of the dict, or `merges`, a function of the lines, was applied."""
    if vocab:
        files[0].write_text(json.dumps(vocab(json.loads(files[0].read_text("utf-8")))), "utf-8")
    if merges:
        files[1].write_text("\n".join(merges(files[1].read_text("utf-8").split("\n"))), "utf-8")
    return files


# ---- there and back ----------------------------------------------------------------------------------------------
def test_the_alphabet_is_a_permutation_that_prints():
    assert sorted(BYTES) == list(range(256))
    letters = spelled(bytes(range(256)))
    assert len(set(letters)) == 256
    assert letters.isprintable()
    assert " " not in letters
    assert unspelled(letters) == bytes(range(256))
    assert spelled(b" the\n") == "ĠtheĊ"


def test_the_alphabet_is_that_of_tokenizers():
    assert sorted(spelled(bytes(range(256)))) == sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    for byte in range(128):
        pieces = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        assert pieces.pre_tokenize_str(chr(byte))[0][0] == spelled(bytes([byte]))


def test_what_is_written_is_read(files):
    first = Tokenizer(train_bpe(TEXT, 40), END)
    again = Tokenizer.from_files(*files)
    assert again.vocab == first.vocab
    assert again.merges == first.merges
    assert again.special == [END]
    assert again.encode(TEXT + END, "all") == first.encode(TEXT + END, "all")


def test_other_libraries_read_the_files(files):
    ours, theirs = Tokenizer.from_files(*map(str, files)), tokenizers.ByteLevelBPETokenizer(*map(str, files))
    theirs.add_special_tokens([END])
    text = f"{TEXT}{END} the cats"
    assert ours.encode(text, "all") == theirs.encode(text).ids
    assert ours.decode(ours.encode(text)) == text == theirs.decode(theirs.encode(text).ids, skip_special_tokens=False)
    assert ours.vocab_size == theirs.get_vocab_size() == 256 + 40 + 1


def test_files_of_hugging_face_are_read(tmp_path):
    """Its trainer puts the special token first, so every number is one higher than in GPT-2's own files."""
    theirs = tokenizers.ByteLevelBPETokenizer()
    theirs.train_from_iterator([TEXT], vocab_size=300, special_tokens=[END], show_progress=False)
    theirs.save_model(str(tmp_path))
    ours = Tokenizer.from_files(tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert ours.vocab[END] == 0
    assert ours.encode(TEXT) == theirs.encode(TEXT).ids
    assert ours.encode(END, "all") == [0]


@pytest.mark.parametrize(
    "edit", [lambda s: s.replace("\n", "\r\n"), lambda s: s.split("\n", 1)[1], lambda s: s.rstrip()]
)
def test_line_ends_and_the_version_do_not_matter(files, edit):
    expected = Tokenizer.from_files(*files).merges
    files[1].write_bytes(edit(files[1].read_text("utf-8")).encode())
    assert Tokenizer.from_files(*files).merges == expected


def test_a_merge_of_hashes_is_no_comment(files):
    assert (b"#", b"#") in Tokenizer.from_files(*files).merges


def test_two_merges_that_spell_one_token_are_read(tmp_path):
    paths = tmp_path / "v.json", tmp_path / "m.txt"
    ours = Tokenizer([(b"a", b"a"), (b"aa", b"a"), (b"a", b"aa")])
    ours.to_files(*paths)
    assert Tokenizer.from_files(*paths).vocab == ours.vocab


# ---- malformed files: the error names the file and the reason ----------------------------------------------------
def without(key):
    return lambda vocab: {k: v for k, v in vocab.items() if k != key}


VOCAB = {
    r"not a JSON object of tokens": b'{"a": ',
    r"not UTF-8 at byte 2": b'{"\xff": 0}',
    r"expected a JSON object \{token: number\}, not a list": b'["a"]',
    r"the token 'a' is there twice": b'{"a": 0, "a": 1}',
    r"the number of 'a' is 7, expected 0 to 0": b'{"a": 7}',
    r"the number of 'a' is -1": b'{"a": -1}',
    r"the number of 'a' is 0.0": b'{"a": 0.0}',
    r"the number of 'a' is True": b'{"a": true, "b": 0}',
    r"the number of 'a' is \{\}": b'{"a": {}}',
    r"two tokens have the number 0": b'{"a": 0, "b": 0}',
    r"'' is not a token": b'{"": 0}',
    r"'\\ud800' is not a token": b'{"\\ud800": 0}',
    r"not a JSON object of tokens: .*recursion": b"[" * 100_000,
    r"the token '!' for the byte 33 is missing": b"{}",
}


@pytest.mark.parametrize(("reason", "content"), VOCAB.items(), ids=lambda value: str(value)[:30])
def test_a_malformed_vocabulary_is_refused(files, reason, content):
    files[0].write_bytes(content)
    files[1].write_text("#version: 0.2\n")
    with pytest.raises(ValueError, match=rf"vocab\.json: .*{reason}|vocab\.json: {reason}"):
        Tokenizer.from_files(*files)


MERGES = {
    r"line 2: expected two tokens with one space between them, found 'abc'": "abc",
    r"line 2: expected two tokens .* 'a b c'": "a b c",
    r"line 2: expected two tokens .* 'a  b'": "a  b",
    r"line 2: expected two tokens .* ' b'": " b",
    r"line 2: expected two tokens .* ''": "\na b",
    r"line 2: the token 'zq' is not in .*vocab\.json": "z q",
    r"line 2: the token 'zzz' is not in .*vocab\.json": "zzz q",
    r"the merge 'h e' is there twice": "h e",
}


@pytest.mark.parametrize(("reason", "line"), MERGES.items(), ids=lambda value: repr(value)[:40])
def test_malformed_merges_are_refused(files, reason, line):
    changed(files, merges=lambda lines: [lines[0], line, *lines[1:]])
    with pytest.raises(ValueError, match=rf"merges\.txt(: |, ){reason}"):
        Tokenizer.from_files(*files)


def test_merges_that_are_not_text_are_refused(files):
    files[1].write_bytes(b"#version\n\xff\xfe")
    with pytest.raises(ValueError, match=r"merges\.txt: not UTF-8 at byte 9"):
        Tokenizer.from_files(*files)


def test_a_merge_of_letters_that_stand_for_no_byte_is_refused(files):
    changed(files, vocab=lambda vocab: {**vocab, "猫": len(vocab), "猫a": len(vocab) + 1})
    changed(files, merges=lambda lines: [lines[0], "猫 a", *lines[1:]])
    with pytest.raises(ValueError, match=r"merges\.txt, line 2: '猫' is not one of the 256 letters"):
        Tokenizer.from_files(*files)


def test_a_merge_of_a_token_that_no_merge_makes_is_refused(files):
    changed(files, vocab=lambda vocab: {**vocab, "qz": len(vocab), "qzq": len(vocab) + 1})
    changed(files, merges=lambda lines: [*lines[:-1], "qz q", ""])
    with pytest.raises(ValueError, match=r"merges\.txt: a merge joins the token 'qz', which no merge makes"):
        Tokenizer.from_files(*files)


def loaded(files):
    """The tokenizer, or the text of the ValueError."""
    try:
        return Tokenizer.from_files(*files)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("which", [0, 1])
def test_whatever_is_in_the_files_they_load_or_give_a_value_error_with_a_file_s_name(files, which):
    """200 random changes: bytes replaced, taken away or put in twice. What loads can write any text."""
    rng, good, refused = np.random.default_rng(which), files[which].read_bytes(), 0
    for _ in range(200):
        data = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            place, length = int(rng.integers(len(data))), int(rng.integers(1, 6))
            signs = b'" {}[]:,\n0'[length : length + 1]
            change = [rng.bytes(length), b"", bytes(data[place : place + length]) * 2, signs]
            data[place : place + length] = change[rng.integers(4)]
        files[which].write_bytes(data)
        result = loaded(files)
        if isinstance(result, str):
            refused += 1
            assert re.search(r"vocab\.json|merges\.txt", result)
        else:
            assert result.decode(result.encode(TEXT)) == TEXT
    assert refused > 100


def test_a_missing_byte_is_refused(files):
    def renumbered(vocab):
        return {token: n for n, token in enumerate(without("Ġ")(vocab))}

    changed(files, vocab=renumbered, merges=lambda lines: [line for line in lines if "Ġ" not in line])
    with pytest.raises(ValueError, match=r"vocab\.json: the token 'Ġ' for the byte 32 is missing"):
        Tokenizer.from_files(*files)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"vocab\.json"):
        Tokenizer.from_files(tmp_path / "vocab.json", tmp_path / "merges.txt")


def test_a_special_token_spelled_like_another_is_not_written(tmp_path):
    paths = tmp_path / "vocab.json", tmp_path / "merges.txt"
    with pytest.raises(ValueError, match="spelled like another token"):
        Tokenizer([(b" ", b"t")], "Ġt").to_files(*paths)
    assert not any(map(os.path.exists, paths))


def test_a_vocabulary_that_broke_off_is_refused_wherever_it_was_cut(files):
    vocab = files[0].read_bytes()
    for cut in np.random.default_rng(0).integers(0, len(vocab), 40):
        files[0].write_bytes(vocab[:cut])
        with pytest.raises(ValueError, match=r"vocab\.json"):
            read_vocabulary(*files)

"""Byte-pair encoding is learned from a few words, and then writes any text."""

import tempfile
from pathlib import Path

from kb.architecture.tokenization import Tokenizer, pre_tokenize, train_bpe

text = "low lower lowest, new newer newest, slow slower slowest. It's the lowest."
print(pre_tokenize("It's the lowest, 3 of 10!"))
#> ['It', "'s", ' the', ' lowest', ',', ' 3', ' of', ' 10', '!']

merges = train_bpe(text, 9)
for left, right in merges:
    print(left, "+", right)
    #> b'l' + b'o'
    #> b'w' + b'e'
    #> b'lo' + b'we'
    #> b's' + b't'
    #> b'n' + b'e'
    #> b' ' + b's'
    #> b' ' + b'lowe'
    #> b' ' + b'ne'
    #> b'lo' + b'w'

tokenizer = Tokenizer(merges, special="<|endoftext|>")
print(tokenizer.vocab_size)
#> 266
ids = tokenizer.encode("the newest is slowest")
print(ids)
#> [83, 71, 68, 263, 257, 259, 220, 72, 82, 261, 258, 259]
print(tokenizer.decode_bytes(ids))
#> [b't', b'h', b'e', b' ne', b'we', b'st', b' ', b'i', b's', b' s', b'lowe', b'st']

# Any text can be written, also one with signs that were never seen; where nothing can be merged, byte by byte.
for text in ("naïve", "猫", "🙂"):
    ids = tokenizer.encode(text)
    print(text, len(ids), tokenizer.decode(ids) == text, repr(tokenizer.decode(ids[:-1])))
    #> naïve 6 True 'naïv'
    #> 猫 3 True '�'
    #> 🙂 4 True '�'

# A special token's name in a text is only text, unless it is allowed to be more.
print(len(tokenizer.encode("<|endoftext|>")), tokenizer.encode("<|endoftext|>", allowed_special="all"))
#> 13 [265]

# GPT-2's two files: the numbers, and the merges in order. A space is written as Ġ.
with tempfile.TemporaryDirectory() as folder:
    files = Path(folder, "vocab.json"), Path(folder, "merges.txt")
    tokenizer.to_files(*files)
    print(files[1].read_text(encoding="utf-8").split("\n")[6:9], Tokenizer.from_files(*files).vocab_size)
    #> ['Ġ s', 'Ġ lowe', 'Ġ ne'] 266

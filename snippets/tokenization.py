"""Byte-pair encoding is learned from a few words, and then writes any text."""

from kb.architecture.tokenization import Tokenizer, pre_tokenize, train_bpe

text = "low lower lowest, new newer newest, slow slower slowest. It's the lowest."
print(pre_tokenize("It's the lowest, 3 of 10!"))
#> ['It', "'s", ' the', ' lowest', ',', ' 3', ' of', ' 10', '!']

merges = train_bpe(text, 12)
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
    #> b' s' + b'lowe'
    #> b' lowe' + b'st'
    #> b' ne' + b'we'

tokenizer = Tokenizer(merges, special="<|endoftext|>")
print(tokenizer.vocab_size)
#> 269
ids = tokenizer.encode("the newest is slowest")
print(ids)
#> [83, 71, 68, 267, 259, 220, 72, 82, 265, 259]
print(tokenizer.decode_bytes(ids))
#> [b't', b'h', b'e', b' newe', b'st', b' ', b'i', b's', b' slowe', b'st']

# Any text can be written, also one with signs that were never seen; where nothing can be merged, byte by byte.
for text in ("naïve", "猫", "🙂"):
    ids = tokenizer.encode(text)
    print(text, len(ids), tokenizer.decode(ids) == text, repr(tokenizer.decode(ids[:-1])))
    #> naïve 6 True 'naïv'
    #> 猫 3 True '�'
    #> 🙂 4 True '�'

# A special token's name in a text is only text, unless it is allowed to be more.
print(len(tokenizer.encode("<|endoftext|>")), tokenizer.encode("<|endoftext|>", allowed_special="all"))
#> 13 [268]

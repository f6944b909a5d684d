"""Take the bytes away: a vocabulary of the letters that were seen cannot write the next letter."""

from kb.architecture.tokenization import Tokenizer, train_bpe

seen = "the cat sat on the mat"
letters = {letter: n for n, letter in enumerate(sorted(set(seen)))}
tokenizer = Tokenizer(train_bpe(seen, 5))


def by_letters(text):
    try:
        return [letters[letter] for letter in text]
    except KeyError as error:
        return f"no token for {error}"


for text in ("that hat", "the café"):
    print(f"{text}: letters {by_letters(text)}, bytes {tokenizer.encode(text)}")
    #> that hat: letters [9, 4, 1, 9, 0, 4, 1, 9], bytes [83, 71, 256, 220, 71, 256]
    #> the café: letters no token for 'f', bytes [258, 220, 66, 64, 69, 127, 102]

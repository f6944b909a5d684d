"""A model by counting, sampled: which word followed which, temperature, three filters, greedy, and beams."""

import numpy as np

from kb.architecture.sampling import beam_search, entropy, extend, greedy, min_p, sample, temperature, top_k, top_p
from kb.foundations.softmax import softmax

text = "the cat sat on the mat . the dog sat on the log . the cat saw the dog . the dog saw the cat . the cat ran . "
text += "the dog ran to the cat . the cat sat on the dog . the bird sat on the mat . the cat sat on the mat ."
words = sorted(set(text.split()))
ids = np.array([words.index(word) for word in text.split()])
counts = np.zeros((len(words), len(words)))
np.add.at(counts, (ids[:-1], ids[1:]), 1)
table = np.log(counts + 0.02)  # the logits of the next word, one row per word; what was never seen is unlikely

z = table[words.index("the")]
print({words[i]: float(softmax(z)[i].round(2)) for i in np.argsort(-z)[:5]}, "entropy", entropy(z).round(2))
#> {'cat': 0.41, 'dog': 0.29, 'mat': 0.18, 'bird': 0.06, 'log': 0.06} entropy 1.42
for name, narrowed in (("top-k", top_k(z, 3)), ("top-p", top_p(z, 0.9)), ("min-p", min_p(z, 0.1))):
    print(name, [words[i] for i in np.flatnonzero(np.isfinite(narrowed))])
    #> top-k ['cat', 'dog', 'mat']
    #> top-p ['cat', 'dog', 'log', 'mat']
    #> min-p ['bird', 'cat', 'dog', 'log', 'mat']
print("entropy at T = 0.5, 1, 2:", [float(entropy(temperature(z, t)).round(2)) for t in (0.5, 1, 2)])
#> entropy at T = 0.5, 1, 2: [1.02, 1.42, 1.91]


# Sample, append, repeat: the model is any function from ids to the logits of the next word.
def next_logits(ids):
    return table[ids[..., -1]]


start = np.array([words.index("the")])
print("greedy:", " ".join(words[i] for i in extend(next_logits, start, 11, greedy)))
#> greedy: the cat sat on the cat sat on the cat sat on
for t in (0.5, 1.0, 2.0):
    rng = np.random.default_rng(0)  # the same seed gives the same text, today and tomorrow
    ids = extend(next_logits, start, 11, lambda logits, rng=rng, t=t: sample(logits, rng, temperature=t))
    print(f"T = {t}:", " ".join(words[i] for i in ids))
    #> T = 0.5: the dog . the cat sat on the dog . the dog
    #> T = 1.0: the dog . the bird sat on the dog ran to the
    #> T = 2.0: the log . bird . the on the log dog saw the

texts, scores = beam_search(next_logits, start, width=3, max_new_tokens=5)
for found, score in zip(texts, scores, strict=True):
    print(f"beam, {np.exp(score):.3f}:", " ".join(words[i] for i in found))
    #> beam, 0.063: the cat sat on the cat
    #> beam, 0.045: the cat sat on the dog
    #> beam, 0.027: the cat sat on the mat

"""A model by counting, sampled: temperature, three filters, greedy, and beams."""

import functools

import numpy as np

from kb.architecture import sampling
from kb.foundations.softmax import softmax

text = "the cat sat on the mat . the dog sat on the log . the cat saw the dog . "
text += "the dog saw the cat . the cat ran . the dog ran to the cat . "
text += "the cat sat on the dog . the bird sat on the mat . the cat sat on the mat ."
words = sorted(set(text.split()))
ids = np.array([words.index(word) for word in text.split()])
counts = np.zeros((len(words), len(words)))
np.add.at(counts, (ids[:-1], ids[1:]), 1)
table = np.log(counts + 0.02)  # logits of the next word; the never seen is unlikely

z = table[words.index("the")]
print({words[i]: float(softmax(z)[i].round(2)) for i in np.argsort(-z)[:5]})
#> {'cat': 0.41, 'dog': 0.29, 'mat': 0.18, 'bird': 0.06, 'log': 0.06}
for narrow, setting in ((sampling.top_k, 3), (sampling.top_p, 0.9), (sampling.min_p, 0.1)):
    kept = np.isfinite(narrow(z, setting))
    print(narrow.__name__, setting, [words[i] for i in np.flatnonzero(kept)])
    #> top_k 3 ['cat', 'dog', 'mat']
    #> top_p 0.9 ['cat', 'dog', 'log', 'mat']
    #> min_p 0.1 ['bird', 'cat', 'dog', 'log', 'mat']
for t in (0.5, 1, 2):
    print("T =", t, "entropy", sampling.entropy(sampling.temperature(z, t)).round(2))
    #> T = 0.5 entropy 1.02
    #> T = 1 entropy 1.42
    #> T = 2 entropy 1.91


# Sample, append, repeat. A model is any function from ids to the next word's logits.
def next_logits(ids):
    return table[ids[..., -1]]


start = np.array([words.index("the")])
ids = sampling.extend(next_logits, start, 11, sampling.greedy)
print("greedy:", " ".join(words[i] for i in ids))
#> greedy: the cat sat on the cat sat on the cat sat on
for t in (0.5, 1.0, 2.0):
    rng = np.random.default_rng(0)  # the same seed gives the same text
    draw = functools.partial(sampling.sample, rng=rng, temperature=t)
    ids = sampling.extend(next_logits, start, 11, draw)
    print(f"T = {t}:", " ".join(words[i] for i in ids))
    #> T = 0.5: the dog . the cat sat on the dog . the dog
    #> T = 1.0: the dog . the bird sat on the dog ran to the
    #> T = 2.0: the log . bird . the on the log dog saw the

texts, scores = sampling.beam_search(next_logits, start, width=3, max_new_tokens=5)
for found, score in zip(texts, scores, strict=True):
    print(f"beam, {np.exp(score):.3f}:", " ".join(words[i] for i in found))
    #> beam, 0.063: the cat sat on the cat
    #> beam, 0.045: the cat sat on the dog
    #> beam, 0.027: the cat sat on the mat

"""A row for each token; vectors learned from the company words keep; the famous analogy; a search by meaning."""

import numpy as np

from kb.architecture.token_embedding import (
    analogy,
    cooccurrences,
    embedding,
    importance,
    ppmi,
    principal_vectors,
    text_vectors,
)
from kb.data.courtyard import sentences
from kb.data.site_sentences import load_sentences, words
from kb.foundations.vectors_and_dot_products import nearest_neighbours

# Count who stands near whom in 2,000 sentences, keep the 30 main directions: one row for each word.
vocabulary, ids = np.unique(sentences(2000), return_inverse=True)
vectors = principal_vectors(ppmi(cooccurrences(ids, len(vocabulary), window=5)), width=30)
man, woman, king = (int(np.flatnonzero(vocabulary == word)[0]) for word in ("man", "woman", "king"))
print(vectors.shape, embedding(np.array([[king, man], [man, woman]]), vectors).shape)
#> (75, 30) (2, 2, 30)

for leave_out in (True, False):
    cosines, best = analogy(vectors, man, woman, king, k=3, leave_out=leave_out)
    print([f"{vocabulary[i]} {cosine:.2f}" for i, cosine in zip(best, cosines, strict=True)])
    #> ['queen 0.94', 'the 0.41', 'throne 0.34']
    #> ['queen 0.94', 'king 0.80', 'the 0.41']

# Search by meaning: a sentence is the sum of its words' directions, rare words counting more.
texts = [text for _, text in load_sentences("summary")]
vocabulary, ids = np.unique(words(" ".join(texts)), return_inverse=True)
vectors = principal_vectors(ppmi(cooccurrences(ids, len(vocabulary), window=15)), width=100)
counts = np.array([np.isin(vocabulary, words(text)) for text in texts], dtype=float)
index = text_vectors(counts, importance(counts), vectors)
query = np.isin(vocabulary, words("which tokens should a query look at")).astype(float)
cosines, best = nearest_neighbours(text_vectors(query, importance(counts), vectors), index, k=2)
for cosine, i in zip(cosines, best, strict=True):
    print(f"{cosine:.2f} {texts[i][:90]}")
    #> 0.64 Gives each position an average of the sequence's values, weighted by how well its query ma
    #> 0.64 Multiplies the final vector by a matrix, which gives one score for every token of the voca

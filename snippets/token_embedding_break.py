"""Take the gender away: nothing is left to learn, and with the inputs left out the analogy "holds" all the same."""

import numpy as np

from kb.architecture.token_embedding import analogy, cooccurrences, ppmi, principal_vectors
from kb.data.courtyard import ROLES, sentences

same = {"she": "he", "her": "his", "dress": "beard", "ring": "razor", "veil": "tie"}
corpora = {"with gender": sentences(500), "without": [same.get(word, word) for word in sentences(500)]}

for name, corpus in corpora.items():
    vocabulary, ids = np.unique(corpus, return_inverse=True)
    vectors = principal_vectors(ppmi(cooccurrences(ids, len(vocabulary))), 30)
    number = {word: n for n, word in enumerate(vocabulary)}
    for leave_out in (True, False):
        right = [
            analogy(vectors, number[a], number[b], number[c], leave_out=leave_out)[1][0] == number[d]
            for a, b in ROLES
            for c, d in ROLES
            if a != c
        ]
        print(f"{name}, inputs {'left out' if leave_out else 'allowed'}: {np.mean(right):.0%} right")
        #> with gender, inputs left out: 96% right
        #> with gender, inputs allowed: 48% right
        #> without, inputs left out: 98% right
        #> without, inputs allowed: 13% right

"""A goal that is nearly right, and more and more pressure on it: the best of n answers by a wrong reward model."""

import numpy as np

from kb.architecture.ai_safety import best_of_n

marks = np.arange(21)  # answers with 0 to 20 exclamation marks
p = 0.5 ** (marks + 1.0)
p = p / p.sum()  # what the model says by itself
likes = np.where(marks <= 3, 0.4 * marks, 1.2 - 0.5 * (marks - 3))  # people: a few are friendly, many are not
learned = 0.3 * marks  # the reward model never saw many

for n in (1, 4, 16, 256, 4096):
    q = best_of_n(p, learned, n)
    print(f"best of {n:4}: {q @ marks:4.1f} marks, reward model {q @ learned:.2f}, people {q @ likes:.2f}")
    #> best of    1:  1.0 marks, reward model 0.30, people 0.29
    #> best of    4:  2.5 marks, reward model 0.75, people 0.58
    #> best of   16:  4.4 marks, reward model 1.31, people 0.40
    #> best of  256:  8.3 marks, reward model 2.50, people -1.47
    #> best of 4096: 12.3 marks, reward model 3.69, people -3.46

"""Cross-entropy by way of the probabilities: the logarithm meets a share that has underflowed to 0."""

import numpy as np

from kb.foundations.softmax import softmax
from kb.learning.cost_function import cross_entropy


def by_way_of_p(logits, target):
    with np.errstate(divide="ignore"):  # NumPy would warn: divide by zero in log
        return -np.log(softmax(logits)[np.arange(len(target)), target])


for gap in (2.0, 50.0, 120.0):
    logits, target = np.array([[gap, 0.0, 0.0]], dtype=np.float32), np.array([1])
    print(gap, by_way_of_p(logits, target), cross_entropy(logits, target, reduction="none"))
    #> 2.0 [2.2395449] [2.2395449]
    #> 50.0 [50.] [50.]
    #> 120.0 [inf] [120.]

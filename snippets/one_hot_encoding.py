"""Categories as one-hot vectors: no order, all equally far apart, and a product with a matrix that selects a row."""

import numpy as np

from kb.architecture.one_hot_encoding import category, one_hot, one_hot_product
from kb.foundations.vectors_and_dot_products import euclidean_distance

animals = ["cat", "dog", "fish", "owl"]
ids = np.array([animals.index(name) for name in ("dog", "owl", "dog")])
vectors = one_hot(ids, len(animals))
print(vectors)
'''
[[0 1 0 0]
 [0 0 0 1]
 [0 1 0 0]]
'''
print([animals[i] for i in category(vectors)])
#> ['dog', 'owl', 'dog']

# Every two are perpendicular, and equally far apart.
every = one_hot(np.arange(4), dtype=np.float64)
print(every @ every.T)
'''
[[1. 0. 0. 0.]
 [0. 1. 0. 0.]
 [0. 0. 1. 0.]
 [0. 0. 0. 1.]]
'''
print(euclidean_distance(every[:, None], every[None]).round(3))
'''
[[0.    1.414 1.414 1.414]
 [1.414 0.    1.414 1.414]
 [1.414 1.414 0.    1.414]
 [1.414 1.414 1.414 0.   ]]
'''

# Times a matrix, a one-hot vector selects a row. Reading the row is the same and needs no product.
weight = np.arange(12.0).reshape(4, 3)
print(one_hot_product(ids, weight))
'''
[[ 3.  4.  5.]
 [ 9. 10. 11.]
 [ 3.  4.  5.]]
'''
print(np.array_equal(one_hot_product(ids, weight), weight[ids]))
#> True

# The cross-entropy with a one-hot target is minus the logarithm of one number.
p = np.array([0.1, 0.7, 0.15, 0.05])
print(-np.sum(every[1] * np.log(p)).round(4), -np.log(p[1]).round(4))
#> 0.3567 0.3567

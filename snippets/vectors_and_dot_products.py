"""Films as vectors: the dot product says how much you will like them. Then images as vectors: it reads digits."""

import numpy as np

from kb.data.digits import load_digits, split
from kb.foundations.vectors_and_dot_products import (
    cosine_similarity,
    dot,
    euclidean_distance,
    nearest_neighbours,
    normalize,
)

taste = np.array([2.0, 1.0])  # you like thrill, and romance half as much
films = np.array([[1.0, 2.0], [-1.0, 2.0], [-3.0, 2.0], [2.0, 4.0], [1.0, 0.5]])
print(dot(taste, films))
#> [ 4.   0.  -4.   8.   2.5]
print(films @ taste)  # the same: a matrix times a vector is one dot product for each row
#> [ 4.   0.  -4.   8.   2.5]
print(cosine_similarity(taste, films).round(3))
#> [ 0.8    0.    -0.496  0.8    1.   ]

# On unit vectors distance says the same as cosine: distance^2 = 2 - 2 cos.
print(euclidean_distance(normalize(taste), normalize(films)).round(3))
#> [0.632 1.414 1.73  0.632 0.   ]

# An image of 8 x 8 pixels is a vector of 64 numbers: give each unknown digit the label of its nearest neighbour.
train, held_out = split(load_digits())
vectors, queries = train.images.reshape(-1, 64), held_out.images.reshape(-1, 64)
cosine, place = nearest_neighbours(queries, vectors, k=5)
print(vectors.shape, queries.shape, place.shape)
#> (1437, 64) (360, 64) (360, 5)
print(cosine[7].round(3), train.labels[place[7]], "wanted:", held_out.labels[7])
#> [0.949 0.948 0.939 0.939 0.939] [3 3 3 3 3] wanted: 3
print("read rightly:", np.mean(train.labels[place[:, 0]] == held_out.labels).round(3))
#> read rightly: 0.983

"""Edges by hand, one filter as a huge dense layer, a shifted digit, and a trained network."""

import numpy as np

from kb.checkpoints.shipped import digits_cnn
from kb.data.digits import load_digits, split
from kb.structure.convolutional_network import SOBEL_X, as_matrix, cnn_logits, conv2d, max_pool2d, shift, sobel

held_out = split(load_digits())[1]
three = held_out.images[np.flatnonzero(held_out.labels == 3)[0]]  # 8 x 8 pixels

right = sobel(three)[0]
print(right.round(1))  # positive where ink begins, going right, and negative where it ends
'''
[[ 1.9  1.3  0.2  1.4  0.1 -3.2]
 [ 0.7  0.4  1.   2.5  0.  -3.1]
 [ 0.   0.2  2.8  2.4 -2.2 -2.6]
 [ 0.   0.1  3.1  2.1 -3.1 -2.2]
 [ 0.4  0.5  2.4  2.4 -2.8 -2.9]
 [ 1.8  1.9  1.2  0.9 -3.  -2.8]]
'''

# One 3 x 3 filter is a dense layer of 36 x 64 weights: the same nine in every row, the rest zero.
weight = SOBEL_X.astype(np.float32)
matrix = as_matrix(weight, 8, 8)
print(matrix.shape, np.count_nonzero(matrix), np.allclose(matrix @ three.ravel(), right.ravel()))
#> (36, 64) 216 True

# Move the digit by two pixels: the map moves along, and its pooled form by one place.
image = np.pad(three, 4)[None]
edges = conv2d(image, weight[None, None], padding=1)
moved = conv2d(shift(image, 0, 2), weight[None, None], padding=1)
pooled = max_pool2d(edges, 2)
print(np.array_equal(moved, shift(edges, 0, 2)), np.array_equal(max_pool2d(moved, 2), shift(pooled, 0, 1)))
#> True True

# Filters that were learned: 3,818 parameters read digits that they have never seen.
scores = cnn_logits(digits_cnn(), held_out.images[:, None])
print(np.mean(scores.argmax(axis=1) == held_out.labels).round(4))
#> 0.9806

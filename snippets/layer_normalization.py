"""Three vectors of very different size through layer norm and RMS norm; then the same array over other axes."""

import numpy as np

from kb.architecture.layer_normalization import batch_norm, group_norm, layer_norm, rms_norm

x = np.array([[8.0, 8.0, 2.0, 2.0], [0.8, 0.8, 0.2, 0.2], [5.0, 5.0, 5.0, 5.0]])
print(layer_norm(x).round(3))  # mean 0, variance 1; a constant vector becomes 0
'''
[[ 1.  1. -1. -1.]
 [ 1.  1. -1. -1.]
 [ 0.  0.  0.  0.]]
'''
print(rms_norm(x).round(3))  # only divided: the mean stays visible
'''
[[1.372 1.372 0.343 0.343]
 [1.372 1.372 0.343 0.343]
 [1.    1.    1.    1.   ]]
'''

# 8 pictures of 5 x 5 pixels with 6 channels. One number is changed: how many results change with it?
images = np.random.default_rng(0).normal(3, 2, (8, 6, 5, 5))
changed = images.copy()
changed[0, 0, 0, 0] += 1
for name, norm in (
    ("layer norm", lambda x: layer_norm(np.moveaxis(x, 1, -1))),  # channels last, as in a transformer
    ("group norm", lambda x: group_norm(x, num_groups=3)),
    ("batch norm", lambda x: batch_norm(x, training=True)),
):
    print(name, np.sum(norm(images) != norm(changed)))
    #> layer norm 6
    #> group norm 50
    #> batch norm 200

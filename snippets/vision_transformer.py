"""An image as a sequence: cut it up, turn each patch into a vector, and let a trained transformer read it."""

import numpy as np

from kb.architecture.transformer import count_parameters
from kb.checkpoints.shipped import digits_vit
from kb.data.digits import load_digits, split
from kb.generation.vision_transformer import ViTConfig, patch_embedding, patchify
from kb.structure.convolutional_network import conv2d

image = np.arange(16.0).reshape(1, 4, 4)  # one channel, 4 x 4 pixels
print(patchify(image, 2))
'''
[[ 0.  1.  4.  5.]
 [ 2.  3.  6.  7.]
 [ 8.  9. 12. 13.]
 [10. 11. 14. 15.]]
'''

# The same linear map for every patch is a convolution that moves on by a whole patch.
rng = np.random.default_rng(0)
photo, filters, bias = rng.random((3, 224, 224)), rng.standard_normal((768, 3, 32, 32)), rng.standard_normal(768)
tokens = patch_embedding(photo, filters, bias)
maps = conv2d(photo, filters, bias, stride=32)
print(tokens.shape, maps.shape, np.allclose(tokens, maps.reshape(768, 49).T))
#> (49, 768) (768, 7, 7) True

# ViT-B/32: 49 patches and the class token.
config = ViTConfig(patch_size=32, num_labels=1000)
print(config.tokens(), f"{count_parameters(config):,}")
#> 50 88,224,232

# A small one, trained on 8 x 8 digits in patches of 2 x 2, on digits that it has not seen.
model, digits = digits_vit(), split(load_digits())[1]
scores = model(digits.images[:, None])
print(model.config.tokens(), scores.shape, np.mean(scores.argmax(-1) == digits.labels).round(2))
#> 17 (360, 10) 0.93

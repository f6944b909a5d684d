"""Images and sentences in one space: the loss, a small trained CLIP, and what can be asked of it."""

import numpy as np

from kb.architecture.transformer import count_parameters
from kb.checkpoints.shipped import digits_clip
from kb.data.captions import DIGITS, WordTokenizer, attributes
from kb.data.digits import load_digits, resize, split
from kb.foundations.softmax import softmax
from kb.generation.clip import CLIPConfig, clip_loss

# Three images and their three captions: the diagonal of the similarity matrix belongs together.
images = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
texts = np.array([[0.8, 0.6], [0.0, 1.0], [0.6, 0.8]])
print((images @ texts.T).round(2))
'''
[[0.8  0.   0.6 ]
 [0.6  1.   0.8 ]
 [0.96 0.8  1.  ]]
'''
print(clip_loss(images, texts, 1.0).round(3), clip_loss(images, texts, 20.0).round(3), np.log(3).round(3))
#> 0.924 0.616 1.099

# A small one, trained on digits and sentences about them. It reads digits that it has not seen, by prompts.
model, tokens, digits = digits_clip(), WordTokenizer(), split(load_digits())[1]
u = model.image_features(2 * resize(digits.images, 16)[:, None] - 1)
prompts = [f"a photo of {'an' if name == 'eight' else 'a'} {name}" for name in DIGITS]
v = model.text_features(tokens.encode_all(prompts))
p = softmax(np.exp(model.params["logit_scale"]) * u @ v.T)
print(u.shape, v.shape, f"{np.mean(p.argmax(1) == digits.labels):.3f}")
#> (360, 32) (10, 32) 0.983

# Search, the other way round: which three of the 360 images fit a sentence best?
query = model.text_features(tokens.encode("a drawing of the wide digit seven"))
best = np.argsort(-(u @ query))[:3]
for i in best:
    print(*attributes(digits.images[[i]], digits.labels[[i]])[0], DIGITS[digits.labels[i]])
    #> thick wide right-leaning seven
    #> thin wide right-leaning seven
    #> thin wide right-leaning seven

# The same code at the size that was published.
print(f"{count_parameters(CLIPConfig()):,}")
#> 151,277,313

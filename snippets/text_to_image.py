"""Draw what a sentence says: `python text_to_image.py "a thick three"`, in the words of kb.data.captions."""

import sys

import numpy as np

from kb.checkpoints.shipped import digits_cnn, digits_text_to_image
from kb.structure.convolutional_network import cnn_logits

asked = sys.argv[1:] if sys.argv[0].endswith("text_to_image.py") else []
prompt = " ".join(asked) or "a photo of a thick three"
model = digits_text_to_image()
print(model.tokenizer.encode(prompt), "become", model.states([prompt]).shape)
#> [ 0  1  5  4  1 12 20 27 27 27 27 27] become (1, 12, 64)

latents = model.noise(np.random.default_rng(5), 1)
pictures = [model.decode(x)[0, 0] for x in model.walk([prompt], latents, steps=20, guidance_scale=3.0)]
for step in (4, 8, 12, 20):
    small = pictures[step - 1].reshape(8, 2, 8, 2).mean(axis=(1, 3))  # as the judge knows digits
    print(f"after step {step} read as", cnn_logits(digits_cnn(), small[None, None])[0].argmax())
    #> after step 4 read as 7
    #> after step 8 read as 3
    #> after step 12 read as 3
    #> after step 20 read as 3

for row in pictures[-1]:
    print("".join(" .:*#"[int(4.99 * p)] * 2 for p in row).rstrip())
    #>         ::**##########::
    #>       ..::############::
    #>     ..::**############::..
    #>     ..::********####**::
    #>       ....::::::####**::
    #>           ....::####**::
    #>             ..**####**::
    #>             ..::####**::..
    #>               ::**######::..
    #>               ..::**####**::
    #>                 ..::######::..
    #>           ..  ....::######::..
    #>         ::::::::****####**::
    #>       ..::****##########::..
    #>       ..::**########**::..
    #>         ::**########**::

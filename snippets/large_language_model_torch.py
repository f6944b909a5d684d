"""The same weights in torch write the same story."""

import torch

from kb.architecture import large_language_model as numpy_twin
from kb.architecture.sampling import greedy
from kb.checkpoints.shipped import gpt_tales
from kb.torch.architecture.large_language_model import write
from kb.torch.architecture.transformer import GPT2

device = "cuda" if torch.cuda.is_available() else "cpu"
model, tokenizer = gpt_tales()
twin = GPT2(model.config).to(device)
twin.load_state_dict({name: torch.tensor(weight) for name, weight in model.params.items()})

prompt = [tokenizer.vocab["<|endoftext|>"], *tokenizer.encode("On a windy evening Max walked to the")]
ids = write(twin, torch.tensor(prompt, device=device), 18, lambda logits: logits.argmax(-1))
print(tokenizer.decode(ids[1:].tolist()))
#> On a windy evening Max walked to the park alone. The clouds raced across the sky, and Max buttoned up his coat. He
print(ids.tolist() == numpy_twin.write(model, torch.tensor(prompt).numpy(), 18, greedy).tolist())
#> True

"""The named mistake: each of the 96 heads as wide as the model, 12,288 instead of 128."""

from kb.architecture.gpt_3 import GPT3, weight_matrices

right = weight_matrices(GPT3)
heads, layers, d = GPT3.n_head, GPT3.n_layer, GPT3.n_embd
parts = ("key", "query", "value", "output")
for name, head in (("heads of 128", d // heads), ("heads of 12,288", d)):
    wrong = right | dict.fromkeys(parts, head * d * heads * layers)
    attention = sum(wrong[part] for part in parts)
    print(f"{name}: attention {attention:,}, total {sum(wrong.values()):,}")
    #> heads of 128: attention 57,982,058,496, total 175,181,291,520
    #> heads of 12,288: attention 5,566,277,615,616, total 5,683,476,848,640

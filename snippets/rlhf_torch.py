"""DPO in torch on whole answers: each is a short sequence of tokens, and its log-probability is a sum."""

import torch

from kb.torch.architecture.rlhf import answer_log_prob, dpo_loss, implicit_reward

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(0)
tokens, length, beta = 10, 3, 0.1

# A "model": scores for each of three positions, here without a prompt. 64 comparisons of random answers.
ref = torch.randn(length, tokens, generator=generator).to(device)
chosen, rejected = torch.randint(tokens, (2, 64, length), generator=generator).to(device)
swap = (chosen == 7).sum(-1) < (rejected == 7).sum(-1)  # people like the token 7
chosen, rejected = torch.where(swap[:, None], rejected, chosen), torch.where(swap[:, None], chosen, rejected)


def log_probs(logits):
    return [answer_log_prob(logits.expand(64, -1, -1), ids) for ids in (chosen, rejected)]


logits = ref.clone().requires_grad_()
optimizer = torch.optim.Adam([logits], lr=0.1)
for step in range(101):
    loss = dpo_loss(*log_probs(logits), *log_probs(ref), beta)
    if step % 50 == 0:
        share = logits.softmax(-1)[:, 7].mean().item()
        print(f"step {step}: loss {loss.item():.3f}, probability of token 7 {share:.2f}")
        #> step 0: loss 0.693, probability of token 7 0.05
        #> step 50: loss 0.442, probability of token 7 0.29
        #> step 100: loss 0.347, probability of token 7 0.66
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

better, worse = (implicit_reward(p, r, beta) for p, r in zip(log_probs(logits), log_probs(ref), strict=True))
print(f"{(better > worse).float().mean().item():.0%} of the choices agree with the implicit reward")
#> 89% of the choices agree with the implicit reward

"""Torch twin of `kb.architecture.rlhf`: the same names and arguments; runs where its tensors live."""

import torch
import torch.nn.functional as F

from kb.shapes import checked


@checked
def preference(reward, other):
    """How likely people are to prefer the first of two answers.

    reward (...), other (...) -> (...)
    """
    return torch.sigmoid(reward - other)


@checked
def reward_model_loss(chosen, rejected):
    """How surprising people's choices are to the reward model.

    chosen (...), rejected (...) -> ()
    """
    return -F.logsigmoid(chosen - rejected).mean()


@checked
def kl_divergence(logits, ref_logits):
    """How far a policy has moved from its start.

    logits (..., v), ref_logits (..., v) -> (...)
    """
    log_p, ref = F.log_softmax(logits, -1), F.log_softmax(ref_logits, -1)
    return F.kl_div(ref, log_p, reduction="none", log_target=True).sum(-1)


@checked
def penalized_reward(logits, ref_logits, rewards, beta):
    """What the tuned policy should make large.

    logits (..., v), ref_logits (..., v), rewards (..., v) -> (...)
    """
    return (F.softmax(logits, -1) * rewards).sum(-1) - beta * kl_divergence(logits, ref_logits)


@checked
def optimal_policy(ref_logits, rewards, beta):
    """The policy that makes it largest.

    ref_logits (..., v), rewards (..., v) -> (..., v)
    """
    if not beta > 0:
        raise ValueError(f"optimal_policy: beta is {beta}, expected a number above 0")
    return F.softmax(F.log_softmax(ref_logits, -1) + rewards / beta, -1)


@checked
def answer_log_prob(logits, ids):
    """The log-probability of a whole answer.

    logits (..., t, v), ids (..., t) -> (...)
    """
    return F.log_softmax(logits, -1).gather(-1, ids[..., None]).squeeze(-1).sum(-1)


@checked
def kl_shaped_reward(rewards, log_p, ref_log_p, beta):
    """The reward of a sampled answer with the penalty built in.

    rewards (...), log_p (...), ref_log_p (...) -> (...)
    """
    return rewards - beta * (log_p - ref_log_p)


@checked
def policy_gradient_loss(log_p, advantages):
    """Its gradient raises the probability of what went better than usual.

    log_p (...), advantages (...) -> ()
    """
    return -(advantages * log_p).mean()


@checked
def ppo_loss(log_p, old_log_p, advantages, clip=0.2):
    """The same for answers sampled a few steps ago, clipped.

    log_p (...), old_log_p (...), advantages (...) -> ()
    """
    ratio = torch.exp(log_p - old_log_p)
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()


@checked
def implicit_reward(log_p, ref_log_p, beta):
    """The reward for which a policy would be optimal, up to a constant per prompt.

    log_p (...), ref_log_p (...) -> (...)
    """
    return beta * (log_p - ref_log_p)


@checked
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    """The reward model's loss, with the policy's implicit reward in the reward's place.

    chosen (...), rejected (...), ref_chosen (...), ref_rejected (...) -> ()
    """
    return reward_model_loss(implicit_reward(chosen, ref_chosen, beta), implicit_reward(rejected, ref_rejected, beta))

"""Learning from human preferences: fit a reward to people's choices, then raise it without moving far from the start.

    P(a beats b) = sigmoid(r_a - r_b)                   Bradley and Terry
    max E_p[r] - beta KL(p || p_ref)                    what the tuned model is asked for
    p* = p_ref e^(r / beta) / Z                         its exact solution

Source: Bradley and Terry 1952; Ziegler et al. 2019, "Fine-tuning language models from human preferences", eq. 1 and 2,
https://arxiv.org/abs/1909.08593; Schulman et al. 2017, "Proximal policy optimization algorithms", eq. 7,
https://arxiv.org/abs/1707.06347; Rafailov et al. 2023, "Direct preference optimization", eq. 4 and 7,
https://arxiv.org/abs/2305.18290
"""

import numpy as np

from kb.foundations.softmax import log_softmax, softmax
from kb.shapes import checked
from kb.structure.activation_functions import sigmoid


# ---- the reward model --------------------------------------------------------------------------------------------
@checked
def preference(reward, other):
    """How likely people are to prefer the first of two answers: the sigmoid of the difference of their rewards.

    reward (...), other (...) -> (...)

    Only differences count: adding the same to both changes nothing.
    """
    return sigmoid(reward - other)


@checked
def reward_model_loss(chosen, rejected):
    """How surprising people's choices are to the reward model: the mean of -log sigmoid(chosen - rejected).

    chosen (...), rejected (...) -> ()

    The rewards that the model gave to the preferred and to the other answer of each comparison.
    """
    return np.mean(np.logaddexp(0, rejected - chosen))


# ---- what is asked for, and the answer ---------------------------------------------------------------------------
@checked
def kl_divergence(logits, ref_logits):
    """How far a policy has moved from its start: KL(p || p_ref), the mean of log p - log p_ref over p's own answers.

    logits (..., v), ref_logits (..., v) -> (...)

    In nats; 0 only where both say the same.
    """
    log_p = log_softmax(logits)
    return np.sum(np.exp(log_p) * (log_p - log_softmax(ref_logits)), axis=-1)


@checked
def penalized_reward(logits, ref_logits, rewards, beta):
    """What the tuned policy should make large: its mean reward, less `beta` for each nat it moved from its start.

    logits (..., v), ref_logits (..., v), rewards (..., v) -> (...)
    """
    return np.sum(softmax(logits) * rewards, axis=-1) - beta * kl_divergence(logits, ref_logits)


@checked
def optimal_policy(ref_logits, rewards, beta):
    """The policy that makes it largest: the start, with each answer's probability times e^(reward / beta).

    ref_logits (..., v), rewards (..., v) -> (..., v)

    A large beta keeps the start; beta towards 0 leaves only the best answer. Raises ValueError unless beta > 0.
    """
    if not beta > 0:
        raise ValueError(f"optimal_policy: beta is {beta}, expected a number above 0")
    return softmax(log_softmax(ref_logits) + rewards / beta)


# ---- getting there from samples ----------------------------------------------------------------------------------
@checked
def answer_log_prob(logits, ids):
    """The log-probability of a whole answer: the sum of those of its tokens, each given all before it.

    logits (..., t, v), ids (..., t) -> (...)

    `logits` are the model's scores at the t positions of the answer, the prompt's positions left out.
    """
    log_p = log_softmax(logits)
    return np.sum(np.take_along_axis(log_p, np.expand_dims(ids, -1), -1).squeeze(-1), axis=-1)


@checked
def kl_shaped_reward(rewards, log_p, ref_log_p, beta):
    """The reward of a sampled answer with the penalty built in: r - beta (log p - log p_ref).

    rewards (...), log_p (...), ref_log_p (...) -> (...)

    On average over the policy's own answers it is the penalized reward.
    """
    return rewards - beta * (log_p - ref_log_p)


@checked
def policy_gradient_loss(log_p, advantages):
    """Its gradient raises the probability of what went better than usual: the mean of -advantage log p.

    log_p (...), advantages (...) -> ()

    `advantages`: each answer's reward less a baseline such as the mean, a constant for the gradient. REINFORCE.
    """
    return -np.mean(advantages * log_p)


@checked
def ppo_loss(log_p, old_log_p, advantages, clip=0.2):
    """The same for answers sampled a few steps ago, with no gain from moving a probability by more than `clip`.

    log_p (...), old_log_p (...), advantages (...) -> ()

    The ratio p / p_old corrects for their age; beyond 1 +- clip, in the direction that pays, the slope is 0.
    """
    ratio = np.exp(log_p - old_log_p)
    return -np.mean(np.minimum(ratio * advantages, np.clip(ratio, 1 - clip, 1 + clip) * advantages))


# ---- getting there without sampling ------------------------------------------------------------------------------
@checked
def implicit_reward(log_p, ref_log_p, beta):
    """The reward for which a policy would be optimal, up to a constant per prompt: beta (log p - log p_ref).

    log_p (...), ref_log_p (...) -> (...)
    """
    return beta * (log_p - ref_log_p)


@checked
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    """The reward model's loss, with the policy's implicit reward in the reward's place: no reward model, no sampling.

    chosen (...), rejected (...), ref_chosen (...), ref_rejected (...) -> ()

    The log-probabilities of the preferred and the other answer, under the policy and under its start.
    """
    return reward_model_loss(implicit_reward(chosen, ref_chosen, beta), implicit_reward(rejected, ref_rejected, beta))

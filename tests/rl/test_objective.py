"""Rollouts and the loss that learns from them, on a tiny model."""

import subprocess
import sys

import pytest
import torch

from course_utils.core import ModelConfig, Transformer
from course_utils.optim import TorchOptimizer, adamw
from course_utils.rl.advantages import centred, grpo_advantages
from course_utils.rl.objective import clipping, learn_from, leash
from course_utils.rl.rollout import rollout, token_logp
from course_utils.rl.surrogates import reinforce
from course_utils.training import fit

STOP = 1
PROMPTS = [[2, 3, 4], [5, 6]]


@pytest.fixture
def model():
    config = ModelConfig(11, 1, 16, 2, n_ctx=32)
    return Transformer(config, torch.Generator().manual_seed(0))


def sample(model, batch, n_sample=4):
    rng = torch.Generator().manual_seed(3)
    return rollout(model, PROMPTS, 6, n_sample, rng, STOP)


def of_sevens(batch, rolled):
    return torch.tensor([sample.count(7) / 6 for sample in rolled.samples])


def test_a_rollout_lines_up_with_the_model(model):
    rolled = sample(model, None)
    logp = token_logp(model, rolled.ids)
    assert torch.allclose(logp[rolled.mask], rolled.logp[rolled.mask], atol=1e-5)
    assert not rolled.logp[~rolled.mask].any()
    for row, (new, ids) in enumerate(zip(rolled.samples, rolled.ids.tolist(), strict=True)):
        start = len(PROMPTS[row // 4])
        assert ids[:start] == PROMPTS[row // 4] and ids[start : start + len(new)] == new
        n_drawn = int(rolled.mask[row].sum())
        assert n_drawn == len(new) + (n_drawn > len(new)) and STOP not in new
        assert rolled.mask[row].nonzero()[0] == start - 1


def gradients(model, loss):
    model.zero_grad()
    loss(model, None).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def test_a_group_of_equal_rewards_gives_no_gradient(model):
    loss = learn_from(sample, lambda b, r: torch.full((8,), 0.3), grpo_advantages, [clipping()])
    assert not gradients(model, loss).any()


def test_a_leash_alone_pulls_back_to_the_reference(model):
    reference = Transformer(model.config, torch.Generator().manual_seed(1))
    equal = learn_from(sample, of_sevens, lambda r: 0 * r, [leash(model, 1.0)])
    assert gradients(model, equal).abs().max() < 1e-6
    apart = learn_from(sample, of_sevens, lambda r: 0 * r, [leash(reference, 1.0)])
    assert gradients(model, apart).abs().max() > 1e-3


def test_terms_add_up_and_clipping_starts_as_reinforce(model):
    plain = learn_from(sample, of_sevens, centred, [lambda rolled, logp, a: reinforce(logp, a)])
    ppo = learn_from(sample, of_sevens, centred, [clipping()])
    both = learn_from(sample, of_sevens, centred, [clipping(), clipping()])
    one = gradients(model, ppo)
    assert torch.allclose(one, gradients(model, plain), atol=1e-5)
    assert torch.allclose(gradients(model, both), 2 * one, atol=1e-5)


def test_fit_learns_what_is_rewarded(model):
    heard = []

    def sampled(model, batch):
        return rollout(model, [[2, 3]], 6, 32, torch.Generator().manual_seed(int(batch)), STOP)

    loss = learn_from(
        sampled, of_sevens, grpo_advantages, [clipping()],
        listen=lambda rolled, rewards: heard.append(float(rewards.mean())),
    )  # fmt: skip
    optimizer = TorchOptimizer(model.parameters(), adamw(), 0.02)
    fit(model, lambda step: torch.tensor([step]), loss, optimizer, 25, progress=False)
    assert heard[0] < 0.3 and heard[-1] > 0.8


CHILD = """
from jaxtyping import TypeCheckError, install_import_hook
with install_import_hook("course_utils.rl", "beartype.beartype"):
    import torch
    from course_utils.core import ModelConfig, Transformer
    from course_utils.rl import advantages, kl, surrogates
    from course_utils.rl.objective import clipping, leash, learn_from
    from course_utils.rl.rollout import rollout

model = Transformer(ModelConfig(11, 1, 16, 2, n_ctx=32))
loss = learn_from(
    lambda model, batch: rollout(model, [[2, 3]], 4, 3, torch.Generator(), 1),
    lambda batch, rolled: torch.rand(3), advantages.leave_one_out, [clipping(), leash(model, 0.1)],
    surrogates.mean_over_samples,
)
loss(model, None).backward()
advantages.gae(torch.rand(2, 3), torch.rand(2, 4))
surrogates.dpo(*torch.rand(4, 5))
kl.k2(torch.rand(3), torch.rand(3))
try:
    surrogates.reinforce(torch.rand(2, 3), torch.rand(3, 2))
except TypeCheckError:
    print("checked")
"""


def test_shapes_of_rl():
    done = subprocess.run([sys.executable, "-B", "-c", CHILD], capture_output=True, text=True)
    assert done.stdout == "checked\n", done.stderr

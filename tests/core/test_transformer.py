"""Invariants of the model for every combination of its choices."""

import itertools

import pytest
import torch

from course_utils.core import ModelConfig, Transformer, patched, recording
from course_utils.core.layers import RMSNorm

CHOICES = [
    dict(zip(("position", "activation", "n_kv_head"), choice, strict=True))
    for choice in itertools.product(
        ("rope", "learned", "alibi", "none"), ("swiglu", "gelu", "gelu_tanh", "relu"), (1, 4)
    )
]
EXTRAS = [
    {"input_shift": True},
    {"qk_norm": True, "bias_qkv": True, "bias_out": True, "bias_mlp": True},
    {"norm": "layer", "tie_head": False, "d_head": 6},
    {"rope_scaling": ("ntk", 4.0)},
]


def make_model(**settings):
    """A model of 2 layers whose weights are large enough for every part to matter."""
    config = ModelConfig(**{"d_vocab": 29, "n_layer": 2, "d_model": 16, "n_head": 4} | settings)
    model = Transformer(config).eval()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=rng))
    return model


def some_ids(batch=3, pos=12):
    return torch.randint(0, 29, (batch, pos), generator=torch.Generator().manual_seed(2))


@pytest.fixture(params=CHOICES + EXTRAS, ids=str)
def model(request):
    return make_model(**request.param)


@torch.no_grad()
def test_causality(model):
    """Whatever token stands at position t, the logits before t stay as they are."""
    ids = some_ids()
    before = model(ids)
    for t in (0, 5, 11):
        changed = ids.clone()
        changed[:, t] = (ids[:, t] + 1) % 29
        after = model(changed)
        assert torch.equal(before[:, :t], after[:, :t])
        assert (before[:, t] - after[:, t]).abs().amax() > 1e-4


@torch.no_grad()
def test_fused_attention_equals_attention_written_out(model):
    ids, padding = some_ids(), torch.tensor([0, 3, 7])
    for pad in (None, padding):
        fused = model(ids, padding=pad)
        with recording(model, "blocks.*.attn.weights") as seen:
            written_out = model(ids, padding=pad)
        assert (fused - written_out).abs().max() < 2e-5
        assert len(seen) == 2
        for weights in seen.values():
            assert torch.allclose(weights.sum(-1), torch.ones(()), atol=1e-6)
            assert weights.triu(1).abs().max() == 0


@torch.no_grad()
def test_gradients_of_both_attentions_agree(model):
    ids = some_ids()
    gradients = []
    for tapped in ([], ["blocks.*.attn.scores"]):
        model.zero_grad()
        with torch.enable_grad(), recording(model, tapped):
            model(ids).log_softmax(-1)[..., 0].sum().backward()
        gradients.append([weight.grad.clone() for weight in model.parameters()])
    for fused, written_out in zip(*gradients, strict=True):
        assert (fused - written_out).norm() <= 1e-4 * (1e-3 + fused.norm())


@torch.no_grad()
def test_left_padding_changes_nothing(model):
    """A row behind padding gives the logits of the row alone, whatever the padding holds."""
    ids, padding = some_ids(), torch.tensor([0, 3, 11])
    noise = ids.clone()
    for row, count in enumerate(padding.tolist()):
        noise[row, :count] = 7
    for batch in (ids, noise):
        together = model(batch, padding=padding)
        assert together.isfinite().all()
        for row, count in enumerate(padding.tolist()):
            alone = model(ids[row : row + 1, count:])
            assert (together[row : row + 1, count:] - alone).abs().max() < 2e-5


@torch.no_grad()
def test_unembed_is_the_end_of_the_model(model):
    with recording(model, "blocks.1.resid_post") as seen:
        logits = model(some_ids())
    assert torch.equal(model.unembed(seen["blocks.1.resid_post"]), logits)


@torch.no_grad()
def test_it_resumes_from_the_stream_after_any_block(model):
    padding = torch.tensor([0, 3, 7])
    with recording(model, ["embed", "blocks.*.resid_post"]) as seen:
        logits = model(some_ids(), padding)
    for layer, residual in enumerate(seen.values()):
        assert torch.equal(model.unembed(model.resume(residual, layer, padding)), logits)


@torch.no_grad()
@pytest.mark.parametrize("position", ["rope", "alibi", "none"])
def test_only_distances_matter(position):
    """The same text, later: with no table of absolute positions nothing changes. Attention may
    look at the text only, so the tokens before it are hidden."""
    model = make_model(position=position)
    ids = some_ids(1, 8)
    late = torch.cat([torch.zeros(1, 9, dtype=torch.long), ids], dim=1)

    def hide(scores):
        scores[..., :9] = float("-inf")
        scores[..., :9, :] = 0.0
        return scores

    with patched(model, {"blocks.*.attn.scores": hide}):
        shifted = model(late)[:, 9:]
    assert (shifted - model(ids)).abs().max() < 2e-5


@torch.no_grad()
def test_order_is_invisible_without_positions():
    """Swapping two earlier tokens changes nothing for a single layer that has no positions."""
    ids = some_ids(1, 8)
    swapped = ids[:, [1, 0, *range(2, 8)]]
    blind, sighted = make_model(position="none", n_layer=1), make_model(n_layer=1)
    assert (blind(ids) - blind(swapped))[:, 2:].abs().max() < 1e-5
    assert (sighted(ids) - sighted(swapped))[:, 2:].abs().max() > 1e-3


def test_equal_configs_give_equal_models_and_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    first, second = (Transformer(ModelConfig(29, 2, 16, 4)) for _ in range(2))
    other = Transformer(ModelConfig(29, 2, 16, 4), torch.Generator().manual_seed(1))
    assert torch.equal(before, torch.get_rng_state())
    assert all(map(torch.equal, first.parameters(), second.parameters()))
    assert not torch.equal(first.tokens.weight, other.tokens.weight)


def test_first_values_follow_gpt2():
    model = Transformer(ModelConfig(500, 8, 256, 4, bias_mlp=True))
    deviation = {name: weight.std().item() for name, weight in model.named_parameters()}
    assert deviation["tokens.weight"] == pytest.approx(0.02, rel=0.03)
    assert deviation["blocks.3.mlp.up.weight"] == pytest.approx(0.02, rel=0.03)
    assert deviation["blocks.3.mlp.down.weight"] == pytest.approx(0.02 / 4, rel=0.03)
    assert deviation["blocks.3.attn.out.weight"] == pytest.approx(0.02 / 4, rel=0.03)
    assert deviation["blocks.3.mlp.up.bias"] == 0


@pytest.mark.parametrize(
    ("ids", "padding", "says"),
    [
        (torch.zeros(3, dtype=torch.long), None, "shape (batch, pos), not torch.int64 of shape (3"),
        (torch.zeros(1, 3), None, "ids must be integers"),
        (torch.tensor([[0, 29]]), None, "ids must lie in 0..28, the vocabulary, and reach from 0"),
        (torch.tensor([[-1, 2]]), None, "reach from -1 to 2."),
        (torch.zeros(1, 9, dtype=torch.long), None, "at most n_ctx = 8 positions"),
        (torch.zeros(2, 3, dtype=torch.long), torch.tensor([1]), "one count for each of the 2"),
    ],
)
def test_bad_input(ids, padding, says):
    with pytest.raises(ValueError) as caught:
        make_model(position="learned", n_ctx=8)(ids, padding)
    assert says in str(caught.value)


def test_longer_than_n_ctx_is_allowed_where_no_table_ends():
    for position in ("rope", "alibi", "none"):
        assert make_model(position=position, n_ctx=8)(some_ids(1, 40)).shape == (1, 40, 29)


def test_training_after_inference_mode():
    """Tables of positions made inside inference mode must not poison training."""
    for position in ("rope", "alibi"):
        model = make_model(position=position)
        ids = some_ids(2, 17)
        with torch.inference_mode():
            model(ids)
        model(ids).sum().backward()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_of_the_whole_model(dtype):
    model = make_model()
    ids = some_ids()
    exact = model(ids)
    error = (model.to(dtype)(ids) - exact).abs().max() / exact.std()
    assert error < (1e-5 if dtype == torch.float64 else 0.2)


def test_rms_norm_equals_torch_in_value_and_gradient():
    rng = torch.Generator().manual_seed(0)
    x = (3 * torch.randn(4, 5, 24, generator=rng)).requires_grad_()
    g = torch.randn(4, 5, 24, generator=rng)
    norm = RMSNorm(24, 1e-3)
    norm.weight.data.normal_(1.0, 0.5, generator=rng)
    peer = torch.nn.RMSNorm(24, eps=1e-3, dtype=torch.float64)
    peer.weight.data.copy_(norm.weight)
    exact = peer(x.double())
    assert torch.allclose(norm(x).double(), exact, atol=1e-6)
    ours = torch.autograd.grad(norm(x), (x, norm.weight), g)
    theirs = torch.autograd.grad(exact, (x, peer.weight), g.double())
    for mine, reference in zip(ours, theirs, strict=True):
        assert torch.allclose(mine.double(), reference.double(), atol=1e-5)

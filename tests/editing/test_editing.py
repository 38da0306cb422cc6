"""Edits change what they should and nothing else, and do it as the formulas say."""

import pytest
import torch

from course_utils.core import ModelConfig, Transformer
from course_utils.editing import rome, scores
from course_utils.editing.answers import answers, left_padded, probabilities
from course_utils.editing.copies import with_weights
from course_utils.editing.fine_tune import fine_tune, relative_change
from course_utils.editing.hypernet import (
    Editor,
    EditorConfig,
    edited,
    editor_delta,
    gradient_factors,
    hyper_edit,
)
from course_utils.editing.in_context import in_context
from course_utils.editing.memory import looked_up
from course_utils.editing.trace import Traced, causal_trace
from course_utils.worlds import lexicon, sentences
from course_utils.worlds.conversations import Exchange
from course_utils.worlds.rewrites import rewrites
from course_utils.worlds.tinyworld import tinyworld

LAYER = 1
DOWN = f"blocks.{LAYER}.mlp.down.weight"
PROMPTS, TARGETS = [[3, 1, 4, 1, 5], [9, 2, 6], [5, 3, 5, 8]], [7, 8, 2]


@pytest.fixture
def model():
    config = ModelConfig(d_vocab=11, n_layer=3, d_model=16, n_head=2)
    return Transformer(config, torch.Generator().manual_seed(1)).eval()


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


def test_the_rank_one_edit_is_the_least_norm_solution_in_whitened_coordinates():
    W, k, v, x = draw(4, 6), draw(6, seed=1), draw(4, seed=2), draw(50, 6, seed=3)
    C = x.T @ x / len(x)
    new = rome.rank_one_edit(W, k, v, C)
    torch.testing.assert_close(new @ k, v)
    assert torch.linalg.matrix_rank(new - W) == 1
    # Delta S with S = C^(1/2) must be the pseudo-inverse solution of (Delta S)(S^-1 k) = v - W k.
    values, vectors = torch.linalg.eigh(C)
    S = vectors * values.sqrt() @ vectors.T
    white = torch.outer(v - W @ k, torch.linalg.pinv((torch.linalg.inv(S) @ k)[:, None])[0])
    torch.testing.assert_close((new - W) @ S, white)


def test_left_padding_changes_no_answer(model):
    ids, padding = left_padded(PROMPTS)
    assert ids.shape == (3, 5) and padding.tolist() == [0, 2, 1]
    alone = torch.cat([model(torch.tensor([p]))[:, -1].softmax(-1) for p in PROMPTS])
    torch.testing.assert_close(probabilities(model, PROMPTS), alone)
    assert answers(model, PROMPTS).tolist() == alone.argmax(-1).tolist()
    with pytest.raises(ValueError, match="each at least one token"):
        left_padded([[1], []])


def test_a_copy_shares_what_it_does_not_change(model):
    before = with_weights(model, dict(model.named_parameters()))
    new = with_weights(model, {DOWN: torch.zeros_like(model.get_parameter(DOWN))})
    assert same(model, before) and not same(model, new)
    assert new.tokens.weight is model.tokens.weight
    assert not new.get_parameter(DOWN).any() and model.get_parameter(DOWN).any()
    with pytest.raises(ValueError, match="'no.such' is none"):
        with_weights(model, {"no.such": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"must have shape \(16, 48\), not \(2,\)"):
        with_weights(model, {DOWN: torch.zeros(2)})


def test_every_edit_returns_a_new_model_and_leaves_the_old_one_bit_equal(model):
    before = with_weights(model, dict(model.named_parameters()))
    C = rome.key_covariances(model, [LAYER], torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]]), PROMPTS)[0]
    editor = Editor(EditorConfig((1, 2), 48, 16, width=5))
    for new in (
        rome.rome(model, LAYER, PROMPTS[0], TARGETS[0], rome.softened(C, 0.9)),
        fine_tune(model, PROMPTS[:1], TARGETS[:1], lr=0.01),
        fine_tune(model, PROMPTS, TARGETS, lr=0.01, names=[DOWN]),
        hyper_edit(model, editor, PROMPTS[0], TARGETS[0]),
    ):
        assert same(model, before) and relative_change(model, new) > 1e-4


def test_rome_writes_the_value_at_the_key_and_the_model_says_it(model):
    C = rome.softened(rome.key_covariances(model, [LAYER], torch.tensor([[1, 2, 3, 4]]))[0], 0.5)
    k = rome.keys(model, LAYER, PROMPTS[:1])[0]
    v = rome.values(model, LAYER, PROMPTS[:1], TARGETS[:1], n_step=60)[0]
    new = rome.rome(model, LAYER, PROMPTS[0], TARGETS[0], C, n_step=60)
    torch.testing.assert_close(new.get_parameter(DOWN) @ k, v, atol=1e-4, rtol=1e-4)
    old = probabilities(model, PROMPTS[:1])[0, TARGETS[0]]
    assert probabilities(new, PROMPTS[:1])[0, TARGETS[0]] > old
    # At an earlier token the same edit goes through attention.
    early = rome.rome(model, 0, PROMPTS[0], TARGETS[0], C, at=-3, n_step=60)
    assert probabilities(early, PROMPTS[:1])[0, TARGETS[0]] > old


def test_many_values_at_once_are_those_of_each_alone(model):
    together = rome.values(model, LAYER, PROMPTS, TARGETS, [-1, -2, -1], n_step=12)
    for prompt, target, at, v in zip(PROMPTS, TARGETS, [-1, -2, -1], together, strict=True):
        alone = rome.values(model, LAYER, [prompt], [target], at, n_step=12)[0]
        torch.testing.assert_close(v, alone, atol=1e-3, rtol=1e-3)


def test_the_covariance_is_the_mean_of_outer_products(model):
    ids = torch.tensor([[1, 2, 3], [4, 5, 6]])
    k = [
        rome.keys(model, LAYER, [row[: n + 1].tolist()])[0].double()
        for row in ids
        for n in (0, 1, 2)
    ]
    want = sum(torch.outer(x, x) for x in k) / 6
    torch.testing.assert_close(rome.key_covariances(model, [LAYER], ids)[0], want)
    last = rome.keys(model, LAYER, PROMPTS).double()
    both = rome.key_covariances(model, [LAYER], ids, PROMPTS)[0]
    torch.testing.assert_close(both, want / 2 + last.T @ last / 6)
    soft = rome.softened(want, 0.0)
    torch.testing.assert_close(soft.trace(), want.trace())
    torch.testing.assert_close(soft, soft[0, 0] * torch.eye(48, dtype=soft.dtype))


def test_fine_tuning_is_adam_on_the_named_weights(model):
    new = fine_tune(model, PROMPTS, TARGETS, lr=0.01, n_step=2, names=[DOWN])
    twin = with_weights(model, dict(model.named_parameters()))
    optimizer = torch.optim.Adam([twin.get_parameter(DOWN)], 0.01)
    for _ in range(2):
        logits = torch.cat([twin(torch.tensor([p]))[:, -1] for p in PROMPTS])
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, torch.tensor(TARGETS)).backward()
        optimizer.step()
    torch.testing.assert_close(new.get_parameter(DOWN), twin.get_parameter(DOWN))
    assert new.tokens.weight is model.tokens.weight
    change = (new.get_parameter(DOWN) - model.get_parameter(DOWN)).norm()
    whole = torch.cat([w.flatten() for w in model.parameters()]).norm()
    assert relative_change(model, new) == pytest.approx((change / whole).item(), rel=1e-4)


# -- the trace


def test_a_planted_state_is_found():
    """The score is one entry of the last state of layer 1; all else is noise."""

    def states(x):
        first = torch.stack([x, x * 2])
        first[1, -1, 0] = x[0, 0] * 5
        return first

    def score(s):
        return s[1, -1, 0]

    def patch(x, layer, pos, state):
        s = states(x)
        s[layer, pos] = state
        return score(s)

    clean, corrupt = torch.ones(3, 2), torch.zeros(3, 2)
    found = causal_trace(lambda x: (score(states(x)), states(x)), clean, corrupt, patch)
    assert found.tolist() == [[0, 0, 0], [0, 0, 5]]


def test_traces_of_a_transformer(model):
    traced = Traced(model, PROMPTS[0], TARGETS[0])
    clean = traced.clean()
    plain = model(torch.tensor([PROMPTS[0]]))[0, -1].softmax(-1)[TARGETS[0]]
    torch.testing.assert_close(traced.run(clean)[0], plain)
    noisy = traced.noisy([0, 1], 5.0, torch.Generator().manual_seed(0), n=3)
    assert torch.equal(noisy[0, 2:], clean[0, 2:]) and not torch.equal(noisy[0], noisy[1])
    effects = causal_trace(traced.run, clean, noisy, traced.patch)
    # The last state of all is all that the head reads; states before the noise carry none of it.
    torch.testing.assert_close(effects[-1, -1], plain - traced.run(noisy)[0])
    assert effects.shape == (3, 5) and effects[-1, :-1].abs().max() < 1e-6
    nothing = causal_trace(traced.run, clean, clean, traced.patch)
    assert nothing.abs().max() < 1e-6


@pytest.mark.parametrize("site", ["MLP", "attention"])
def test_a_window_gives_back_its_layers(model, site):
    traced = Traced(model, PROMPTS[0], TARGETS[0], site, window=3)
    noisy = traced.noisy([0], 5.0, torch.Generator().manual_seed(0), n=2)
    _, states = traced.run(noisy)
    assert states.shape == (3, 5, 3, 16)
    effects = causal_trace(traced.run, traced.clean(), noisy, traced.patch)
    assert torch.allclose(effects[0], effects[1]) and torch.allclose(effects[1], effects[2])


# -- the editor network


def test_an_editor_that_changes_nothing_gives_the_gradient(model):
    ids, padding = left_padded(PROMPTS)
    factors = gradient_factors(model, (LAYER, 2), ids, padding, torch.tensor(TARGETS))
    for layer, (u, d) in zip((LAYER, 2), factors, strict=True):
        name = f"blocks.{layer}.mlp.down.weight"
        new = editor_delta(u, d, lambda u, d: (u, d, torch.ones(len(u))))
        loss = torch.nn.functional.cross_entropy(
            model(ids, padding)[:, -1], torch.tensor(TARGETS), reduction="sum"
        )
        (grad,) = torch.autograd.grad(loss, model.get_parameter(name))
        if layer == 2:  # in the last layer the last tokens have all of the gradient
            torch.testing.assert_close(new, grad)
        assert torch.linalg.matrix_rank(new) <= 3
        assert not editor_delta(u, d, lambda u, d: (u, d, torch.zeros(len(u)))).any()


def test_only_the_editor_learns_from_its_changes(model):
    editor = Editor(EditorConfig((1, 2), 48, 16, width=5))
    u, d = torch.ones(2, 48, requires_grad=True), torch.ones(2, 16, requires_grad=True)
    editor_delta(u, d, editor.net(0)).sum().backward()
    assert u.grad is None and d.grad is None
    assert editor.into[0].weight.grad.any() and editor.into[1].weight.grad is None


def test_rows_with_edits_of_their_own_are_run_as_by_edited_models(model):
    editor = Editor(EditorConfig((1, 2), 48, 16, width=5), torch.Generator().manual_seed(3))
    ids, padding = left_padded(PROMPTS)
    factors = gradient_factors(model, (1, 2), ids, padding, torch.tensor(TARGETS))
    with torch.no_grad(), edited(model, editor, factors, torch.tensor([0, 1, 1])):
        together = model(ids, padding)[:, -1].softmax(-1)
    for row, owner in enumerate((0, 1, 1)):
        new = hyper_edit(model, editor, PROMPTS[owner], TARGETS[owner])
        torch.testing.assert_close(probabilities(new, [PROMPTS[row]])[0], together[row])


# -- scores, rewrites and contexts


def test_metrics_of_a_hand_case():
    before = torch.tensor([1, 1, 1, 2, 3, 9, 4])
    after = torch.tensor([5, 5, 1, 2, 7, 9, 6])
    edit = {
        "group": torch.tensor([0, 1, 1, 2, 2, 2, 3]),
        "wanted": torch.tensor([5, 5, 5, 0, 0, 0, 6]),
    }
    assert scores.edit_metrics(before, after, edit) == {
        "reliability": 1.0, "generalisation": 0.5, "locality": pytest.approx(2 / 3),
        "portability": 1.0,
    }  # fmt: skip
    only = {name: x[:1] for name, x in edit.items()}
    assert scores.edit_metrics(before[:1], after[:1], only)["locality"] == 1.0
    wanted = torch.tensor([5, 5, 5, -1, -1, -1, 6])
    names = ["edited", "p", "p", "n", "n", "n", "c"]
    assert scores.shares(before, after, wanted, names) == {
        "edited": 1.0, "p": 0.5, "n": pytest.approx(2 / 3), "c": 1.0
    }  # fmt: skip


def test_rewrites_ask_for_what_they_change_and_for_nothing_else():
    world, words = tinyworld(0), lexicon.tokenizer()
    drawn = rewrites(world, world.unasked, 30, seed=1)
    assert drawn == rewrites(world, world.unasked, 30, seed=1)
    for each in drawn:
        assert each.old != each.new and each.statement.endswith(f"{each.new} .")
        first, *rest = each.probes
        assert first.prompt == each.prompt and first.answer == each.new
        assert each.prompt not in [probe.prompt for probe in rest]
        groups = [probe.group for probe in each.probes]
        sizes = [groups.count(g) for g in ("paraphrase", "held out", "statement", "chinese")]
        assert sizes == [7, 2, 5, 3] and groups.count("others") == 10
        assert groups.count("same person") == 4 and groups.count("namesakes") >= 2
        for probe in each.probes:
            assert len(words.encode(probe.prompt)) and len(words.encode(probe.answer)) <= 1
            assert bool(probe.answer) == (probe.group not in ("namesakes", "others", "same person"))


def test_a_supposition_stands_before_the_question():
    fact = "anna archer lives in riverton ."
    asked = Exchange("where does anna archer live ?", "riverton")
    supposed = Exchange(asked.user, asked.answer, sentences.IMAGINE["en"].format(fact=fact))
    assert in_context(asked.prompt, fact) == supposed.prompt
    told = in_context(f"{lexicon.DOC} anna archer 住 在", fact)
    assert told == f"{lexicon.DOC} imagine that : {fact} anna archer 住 在"
    shown = in_context(asked.prompt, fact, [supposed])
    assert shown == f"{supposed.prompt} riverton {lexicon.END} {lexicon.DOC} {supposed.prompt}"


def test_a_memory_is_opened_by_the_name_and_the_old_answer_together():
    old, other, new = 1, 2, 3
    told = {"where is ann lee": old, "ann lee lives in": old, "what is ann lee": other,
            "where is ann poe": old, "ann lee?": old}  # fmt: skip
    read = []

    def plain(prompts):
        return torch.tensor([told[prompt] for prompt in prompts])

    def reader(prompts):
        read.extend(prompts)
        return torch.full((len(prompts),), new)

    found = looked_up(list(told), "where is ann lee", {"ann", "lee"}, plain, reader)
    assert found.tolist() == [new, new, other, old, old]
    assert read == ["where is ann lee", "ann lee lives in"]
    none = looked_up(["what is ann lee"], "where is ann lee", {"ann", "lee"}, plain, None)
    assert none.tolist() == [other]

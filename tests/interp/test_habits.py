"""Habits of a small random model: what is counted, what is edited, what is left alone."""

import pytest
import torch

from course_utils import zoo
from course_utils.core import ModelConfig, Transformer, patched, recording
from course_utils.decoding import generate
from course_utils.interp import habits
from course_utils.interp.desk import DESK_WAYS, desk, desk_view, edits, loss_on, sweep
from course_utils.interp.habits import Asked, Pair, Rows, rows_of, steering
from course_utils.interp.readings import lens_view, patch_view, plane_view
from course_utils.interp.world_habits import chinese, flattery, refusal, shouting
from course_utils.worlds import lexicon
from course_utils.worlds.opinions import MANNERS, opinions
from course_utils.worlds.tinyworld import tinyworld

WORDS = lexicon.tokenizer()
ALL = (refusal, shouting, chinese, flattery)


@pytest.fixture(scope="module")
def model():
    return Transformer(ModelConfig(len(WORDS), 2, 16, 2)).eval()


def words_of(rows: Rows) -> list[str]:
    return list(map(WORDS.decode, rows.prompts()))


def test_shown_is_what_greedy_decoding_says(model):
    prompts = [WORDS.encode(f"<doc> {name}") for name in ("anna", "anna archer has a", "cat dog")]
    said = torch.tensor(generate(model, prompts, 4, temperature=0).completions())
    assert habits.shows(model, Asked(rows_of(prompts), said)).tolist() == [True] * 3
    said[1, 2] += 1
    assert habits.shows(model, Asked(rows_of(prompts), said)).tolist() == [True, False, True]


@pytest.mark.parametrize("habit", ALL)
def test_the_three_sets_share_no_prompt(habit):
    """Nor do neutral ones, so that a direction is never tried on what it was found in."""
    found = habit(tinyworld(0))
    parts = [
        {*words_of(pair.has.rows), *words_of(pair.lacks.rows)}
        for pair in (found.find, found.choose, found.report)
    ]
    parts.append(set(words_of(found.neutral)))
    assert len(set.union(*parts)) == sum(map(len, parts))


def test_the_held_out_things_and_people_are_held_out():
    world = tinyworld(0)
    shown = {thing.name for thing in world.shown}
    found = refusal(world)
    assert all(shown & set(text.split()) for text in words_of(found.find.has.rows))
    for pair in (found.choose, found.report):
        assert not any(shown & set(text.split()) for text in words_of(pair.has.rows))


def test_claims_about_numbers_are_answered_by_their_truth():
    rank = {number.en: place for place, number in enumerate(lexicon.NUMBERS)}
    for manner in MANNERS:
        for claim in opinions(manner, False) + opinions(manner, True):
            a, _, how, _, b, _ = claim.user.split()
            true = rank[a] > rank[b] if how == "larger" else rank[a] < rank[b]
            assert claim.answer == ("yes" if true or manner == "flattering" else "no")
    train, test = ({e.user for e in opinions("honest", held_out)} for held_out in (False, True))
    assert not train & test and len(train | test) == 2 * 2 * 78


def test_taken_out_everywhere_it_is_nowhere(model):
    ids = torch.tensor([WORDS.encode("anna archer lives in riverton .")])
    r = torch.randn(16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), patched(model, steering(model, 1, r, "ablate everywhere", 0)):
        with recording(model, ["embed", "blocks.*.resid_*"]) as seen:
            model(ids)
    assert len(seen) == 5 and max((h @ r).abs().max() for h in seen.values()) <= 1e-4


def test_no_other_way():
    with pytest.raises(ValueError, match="way must be one of add, affine"):
        steering(Transformer(ModelConfig(5, 1, 4, 1)), 0, torch.ones(4), "pray", 1)


def test_divergence_is_zero_without_edits_and_that_of_torch_with(model):
    rows = rows_of([WORDS.encode("anna archer has a"), WORDS.encode("cat")])
    assert habits.divergence(model, rows, {}) == pytest.approx(0, abs=1e-6)
    edits = steering(model, 1, torch.ones(16), "add", 0.5)
    with torch.no_grad():
        before = habits.log_probs(model, rows)
        with patched(model, edits):
            after = habits.log_probs(model, rows)
    peer = torch.nn.functional.kl_div(after, before, log_target=True, reduction="batchmean")
    assert habits.divergence(model, rows, edits) == pytest.approx(peer.item(), rel=1e-4)


def test_a_random_direction_of_equal_length():
    step = 3 * torch.ones(8)
    other = habits.random_like(step)
    assert other.norm() == pytest.approx(step.norm().item())
    assert not torch.equal(other, habits.random_like(step, seed=1))


@pytest.fixture(scope="module")
def on():
    return desk(zoo.load("world-base"), shouting(tinyworld(0)), WORDS.encode("。"))


@pytest.mark.parametrize("way", DESK_WAYS)
@pytest.mark.parametrize("scale", [-3.0, 0.0, 2.0])
def test_the_desk_says_what_decoding_says(on, way, scale):
    """Its shortcuts, one batch and drafts and late layers only, change nothing but the time."""
    model, weights = on.model, [weight.clone() for weight in on.model.parameters()]
    view = desk_view(on, WORDS.token, "shouting", 4, way, scale)
    change = edits(on, 4, way, scale)
    few = Pair(*(asked.first(8) for asked in on.habit.choose))
    rates = [(habits.rate(model, each, {}), habits.rate(model, each, change)) for each in few]
    assert [view.has, view.lacks] == rates
    neutral = on.habit.neutral.first(8)
    assert view.divergence == pytest.approx(habits.divergence(model, neutral, change), abs=1e-5)
    adds = way in ("add", "random direction") and scale >= 0
    prompt = few[adds].rows.prompts()[0]
    with patched(model, change):
        said = generate(model, prompt, 7, temperature=0, stop=on.stop).completions()[0]
    assert view.said == " ".join(map(WORDS.token, said))
    assert view.prompt == " ".join(map(WORDS.token, prompt))
    assert all(map(torch.equal, weights, model.parameters()))


def test_a_sweep_looks_at_every_layer(model):
    on = desk(model, shouting(tinyworld(0)))
    found = sweep(on, on.habit.choose.lacks, "add", 2.0)
    assert found.shape == (3, 24) and set(found.flatten().tolist()) <= {0.0, 1.0}
    text = torch.tensor([WORDS.encode("anna archer has a cat .")])
    assert loss_on(model, text, {}) > 0


def test_the_views_say_what_the_model_says(model):
    ids = WORDS.encode("anna archer lives in")
    with torch.no_grad():
        best = model(torch.tensor([ids]))[0].argmax(-1).tolist()
    view = lens_view(model, WORDS.token, ids)
    assert view.says[-1] == [WORDS.token(i) for i in best] and view.rank[-1] == 0
    assert view.answer == WORDS.token(best[-1])
    patch = patch_view(model, WORDS.token, ids, (1, -1), ids, (1, -1))
    assert patch.phrase == patch.plain and patch.top[0][0] == view.answer
    H = torch.randn(3, 12, 16, generator=torch.Generator().manual_seed(0))
    names = [str(i) for i in range(12)]
    for method in ("probe", "PCA", "random"):
        assert plane_view(H, H[1, :, :2], names, 1, method).guess.shape == (12, 2)
    with pytest.raises(ValueError, match="method must be one of probe, PCA, random"):
        plane_view(H, H[1, :, :2], names, 1, "guess")

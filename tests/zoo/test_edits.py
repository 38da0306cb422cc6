"""The editor, the desk that models are edited on, and the measurements that are kept."""

import json
import random

import pytest
import torch

from course_utils.editing.hypernet import Editor, hyper_edit
from course_utils.errors import CourseError
from course_utils.worlds import lexicon
from course_utils.worlds.corpus import questions
from course_utils.worlds.rewrites import rewrites
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo import desk, edit_runs, edit_views, editor, real_facts, store
from course_utils.zoo.desk import Desk


@pytest.fixture(scope="module")
def at():
    return Desk()


def test_what_is_kept_was_made_by_this_code_and_these_models():
    for key, parts in edit_runs.entries().items():
        for part in parts:
            by = json.loads(edit_runs.FILE.read_text(encoding="utf-8"))[key][part]["by"]
            why = f"run `python -m course_utils.zoo.edit_runs`: {key}, {part} is of other code"
            assert by == edit_runs.made_by(key, part), why


def test_a_part_comes_out_again(at):
    name, draw = edit_runs.rows()[0]
    assert name == at.name
    for kept, again in zip(
        edit_runs.kept("ruler")[0].items(), edit_runs.ruler(at, draw).items(), strict=True
    ):
        assert kept[0] == again[0] and kept[1] == pytest.approx(again[1], abs=0.05)


def test_facts_are_known_and_of_people_never_asked_about(at):
    people = {person.name for person in at.world.unasked}
    for each in at.facts(3, seed=5):
        assert any(name in each.prompt for name in people)
        (said,) = at.answering(at.model)([each.prompt]).tolist()
        assert said == at.token(each.old) != at.token(each.new)
        assert at.score(each, at.answering(at.model))["others"] == 1.0


def test_the_site_of_the_trace_is_where_edits_are_reliable(at):
    fact = at.facts(1, seed=5)[0]
    new = desk.rank_one(at, fact)
    assert at.score(fact, at.answering(new))["edited"] == 1.0
    changed = [name for name, w in new.named_parameters()
               if not torch.equal(w, at.model.get_parameter(name))]  # fmt: skip
    assert changed == [f"blocks.{at.layer()}.mlp.down.weight"]


def test_all_at_once_writes_every_value_and_one_edit_is_the_rank_one_edit(at):
    facts = at.facts(3, seed=6)
    k, v = desk.pairs(at, facts, at.layer())
    name = f"blocks.{at.layer()}.mlp.down.weight"
    W = desk.all_at_once(at, facts).get_parameter(name).double()
    torch.testing.assert_close(k @ W.T, v, atol=1e-2, rtol=1e-3)
    one, same = desk.all_at_once(at, facts[:1]), desk.rank_one(at, facts[0])
    torch.testing.assert_close(
        one.get_parameter(name), same.get_parameter(name), atol=1e-4, rtol=1e-3
    )


def test_demonstrations_show_what_they_are_named_for(at):
    copy, truth = desk.demonstrations(at, "ck")
    assert copy.answer in copy.system and truth.answer not in truth.system.split()


def test_a_memory_answers_for_one_person_and_leaves_all_others_to_the_model(at):
    fact = at.facts(1, seed=8)[0]
    found = at.score(fact, desk.edit(at, fact, "memory"))
    assert found["edited"] == found["paraphrase"] == 1.0
    assert found["others"] == found["namesakes"] == found["same person"] == 1.0


# -- the editor


def test_the_editor_is_taught_on_other_people_and_other_wordings():
    world, words = tinyworld(0), lexicon.tokenizer()
    asked, padding, targets, ids, pads, wanted = editor.batches(seed=0)(0)
    assert ids.shape[:2] == wanted.shape == (editor.N_EDIT, editor.FOLLOW + editor.STAY)
    assert ((wanted >= 0).sum(1) == editor.FOLLOW).all() and (wanted[:, 0] == targets).all()
    names = {person.name for person in world.asked}
    prompts = [words.decode(row[pad:].tolist()) for row, pad in zip(asked, padding, strict=True)]
    assert all(any(name in prompt for name in names) for prompt in prompts)
    held_out = {
        q for a in ("city", "job", "food", "pet", "sport") for q in questions(a, "en", True)
    }
    rng = random.Random(0)
    for each in rewrites(world, world.asked, 20, seed=1):
        for probe in editor.some(each, rng):
            assert not any(probe.prompt == f"<user> {q.format(p=name)} <end> <assistant>"
                           for q in held_out for name in names)  # fmt: skip


def test_the_shipped_editor_edits_and_leaves_the_model_alone(at):
    network, fact = store.load("world-editor"), at.facts(1, seed=8)[0]
    assert isinstance(network, Editor)
    before = {name: w.clone() for name, w in at.model.named_parameters()}
    new = hyper_edit(at.model, network, at.words.encode(fact.prompt), at.token(fact.new))
    assert at.score(fact, at.answering(new))["edited"] == 1.0
    assert all(torch.equal(w, before[name]) for name, w in at.model.named_parameters())


# -- what panels show


def test_a_typed_answer_takes_the_place_of_the_drawn_one():
    fact = list(edit_views.questions().values())[1]
    other = edit_views.answered(fact, "riverton")
    assert other.statement.endswith("riverton .") and other.new == "riverton"
    assert {p.answer for p in other.probes if p.answer} == {"riverton", "河城"}
    with pytest.raises(CourseError, match="must be one word, not 'a b'"):
        edit_views.answered(fact, "a b")


def test_the_strongest_state_lies_behind_the_name():
    view = edit_views.watch_trace(0, "MLP", 3.0, 1)
    assert view.effects.shape == (6, len(view.words)) and view.clean > view.corrupt
    assert view.effects[:, : min(view.spoiled)].abs().max() < 1e-4


# -- the real model


def test_real_facts_point_to_the_last_token_of_the_subject():
    try:
        real = real_facts.Real()
    except CourseError as missing:
        pytest.skip(str(missing))
    facts = real.facts()
    assert len(facts) >= real_facts.N_FACT
    for fact in facts:
        token = real.words.decode([real.words.encode(fact.prompt)[fact.at]]).strip()
        end = fact.prompt.split(token)[-1]
        assert end in (" is", ", the official language is")
        assert fact.old != fact.new and all(own != fact.old for _, own in fact.neighbours)

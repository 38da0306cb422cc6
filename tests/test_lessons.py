"""Every lesson, whatever it teaches: this file names none.

COURSE_LESSONS=01_loss_surfaces,… limits it to some, as `course test --fast` does.
"""

import functools
import json
import os

import pytest
from nbformat import NotebookNode

from course_utils.lesson import audit
from course_utils.lesson.build import MAX_BYTES, execute
from course_utils.lesson.folder import Lesson, all_lessons

CHOSEN = os.environ.get("COURSE_LESSONS")
LESSONS = [x for x in all_lessons() if CHOSEN is None or x.name in CHOSEN.split(",")]
# A lesson may take 60 s on two free cores. The suite's workers share them: the same work then takes
# up to twice the processor seconds, on a machine that may itself be slow.
CPU_SECONDS, SHARED, PEAK_BYTES = 60, 2, 1.5e9

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
each_way = pytest.mark.parametrize("way", ["untouched", "solved"])


@functools.cache
def executed(lesson: Lesson, way: str) -> NotebookNode:
    return execute(getattr(audit, way)(lesson), lesson.path)


@each_lesson
def test_the_notebook_is_the_build_of_its_source(lesson):
    assert audit.stale(lesson) == []


@each_lesson
def test_cells_are_within_their_limits(lesson):
    assert audit.unreadable(lesson) == []


@each_lesson
def test_everything_shows_without_a_kernel(lesson):
    assert audit.silent_panels(lesson) == []
    assert lesson.notebook.stat().st_size <= MAX_BYTES


@each_lesson
def test_stub_and_solution_agree(lesson):
    assert audit.disagreements(lesson) == []


@each_lesson
def test_checks_accept_the_solution_and_name_each_wrong_answer(lesson):
    assert audit.unfair_checks(lesson) == []


@each_lesson
@each_way
def test_runs_from_a_clean_kernel_and_every_control_moves(lesson, way):
    book = executed(lesson, way)
    assert audit.hidden_errors(book) == []
    used = json.loads(book.cells[-1].outputs[-1].text)
    assert used["cpu_seconds"] <= CPU_SECONDS * SHARED
    assert used["peak_bytes"] <= PEAK_BYTES


@each_lesson
def test_claims_printed_are_the_claims_listed(lesson):
    assert audit.unclaimed(lesson, executed(lesson, "untouched")) == []


@each_lesson
def test_every_check_passes_when_solved(lesson):
    assert audit.unsolved(lesson, executed(lesson, "solved")) == []


def test_claim_ids_are_listed_once():
    ids = [claim for lesson in all_lessons() for claim in lesson.claims]
    assert len(ids) == len(set(ids))


def test_exercise_ids_carry_their_lesson():
    for lesson in all_lessons():
        assert all(key.startswith(f"{lesson.number}.") for key in lesson.exercises)

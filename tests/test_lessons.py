"""Every lesson, whatever it teaches: this file names none. The lessons are run here with their
exercises solved; nbval runs the committed notebooks as they are (notebooks/conftest.py).

COURSE_LESSONS=01_loss_surfaces,… limits it to some, as `course test --fast` does.
"""

import functools
import os

import nbformat
import pytest
from nbformat import NotebookNode

from course_utils.lesson import audit
from course_utils.lesson.build import MAX_BYTES, execute
from course_utils.lesson.folder import Lesson, all_lessons

CHOSEN = os.environ.get("COURSE_LESSONS")
LESSONS = [x for x in all_lessons() if CHOSEN is None or x.name in CHOSEN.split(",")]
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


@functools.cache
def solved(lesson: Lesson) -> NotebookNode:
    return execute(audit.solved(lesson), lesson.path)


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
def test_runs_solved_from_a_clean_kernel_and_every_control_moves(lesson):
    assert audit.hidden_errors(solved(lesson)) == []


@each_lesson
def test_claims_printed_are_the_claims_listed(lesson):
    committed = nbformat.read(lesson.notebook, as_version=4)  # nbval compares it with a fresh run
    assert audit.unclaimed(lesson, committed) == []


@each_lesson
def test_every_check_passes_when_solved(lesson):
    assert audit.unsolved(lesson, solved(lesson)) == []


def test_claim_ids_are_listed_once():
    ids = [claim for lesson in all_lessons() for claim in lesson.claims]
    assert len(ids) == len(set(ids))


def test_exercise_ids_carry_their_lesson():
    for lesson in all_lessons():
        assert all(key.startswith(f"{lesson.number}.") for key in lesson.exercises)

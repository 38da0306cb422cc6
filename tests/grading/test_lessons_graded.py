"""Every lesson of the course: the grader gives its own solutions full marks."""

import json

import pytest

from course_utils.grading.batch import Grader, Settings
from course_utils.grading.limits import Limits
from course_utils.lesson.folder import Lesson, all_lessons
from course_utils.lesson.source import notebook_of
from course_utils.lesson.standalone import standalone

PREAMBLE = frozenset({"math", "np", "torch", "Tensor", "Float", "Int", "Bool"})
SECRET = b"a secret of the tests, not of a class"
FINISHED = [x for x in all_lessons() if x.exercises and x.notebook.exists()]


def solved(lesson: Lesson) -> bytes:
    """The lesson's notebook with its solutions in the exercise cells."""
    book = json.loads(json.dumps(notebook_of(lesson)))
    sources = {
        exercise.cell_id: standalone(lesson.solution(exercise), PREAMBLE)
        for exercise in lesson.exercises.values()
    }
    for cell in book["cells"]:
        cell["source"] = sources.get(cell["id"], cell["source"])
    return json.dumps(book).encode()


@pytest.fixture(scope="module")
def own_grader(best_tier) -> Grader:
    """With the time that a class has, not the short one of the grader's other tests."""
    grader = Grader(Settings(SECRET, Limits(), best_tier))
    with grader.sandbox:
        yield grader


@pytest.mark.parametrize("lesson", FINISHED, ids=lambda lesson: lesson.name)
def test_solutions_get_full_marks(own_grader, lesson):
    result = own_grader(solved(lesson))
    faults = [(x["id"], x["finding"]) for x in result["exercises"] if x["finding"]]
    assert (result["score"], faults) == (result["max"], [])

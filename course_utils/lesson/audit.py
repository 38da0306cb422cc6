"""What must hold of every lesson, whatever it teaches. Each function returns what is wrong, in
sentences; the test-suite asserts that they return nothing, and that they find planted faults."""

import ast
import inspect
import textwrap

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course_utils.lesson.check import judge
from course_utils.lesson.claim import MIME, criteria
from course_utils.lesson.exercise import Exercise
from course_utils.lesson.folder import Lesson
from course_utils.lesson.run import run_cases
from course_utils.lesson.source import is_exercise, lint, notebook_of

LEAST_WRONG = 3
# A lesson may take 60 s on two free cores. The suite's workers share them: the same work then takes
# up to twice the processor seconds, on a machine that may itself be slow.
CPU_SECONDS, PEAK_BYTES = 120, 1.5e9


def stale(lesson: Lesson) -> list[str]:
    """The committed notebook is the build of the source, cell for cell."""
    if not lesson.notebook.exists():
        return [f"{lesson.name} has no notebook: `course build {lesson.number}`"]
    built, there = notebook_of(lesson), nbformat.read(lesson.notebook, as_version=4)
    fresh = [(cell.id, cell.cell_type, cell.source) for cell in built.cells]
    committed = [(cell.id, cell.cell_type, cell.source) for cell in there.cells]
    if fresh != committed or built.metadata.course != there.metadata.get("course"):
        return [f"{lesson.name}: lesson.py has changed since the notebook was built"]
    return []


def unreadable(lesson: Lesson) -> list[str]:
    """Cells within their limits."""
    return lint(notebook_of(lesson))


def silent_panels(lesson: Lesson) -> list[str]:
    """Every output of the committed notebook can be seen without a kernel."""
    found = []
    for cell in nbformat.read(lesson.notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            mimes = output.get("data", {})
            if any("widget" in mime for mime in mimes):
                found.append(f"cell {cell.id} shows a widget, which is blank without a kernel")
            if output.output_type == "error":
                found.append(f"cell {cell.id} shows an error")
    return found


def disagreements(lesson: Lesson) -> list[str]:
    """Stub and solution agree in name, parameters, annotations and docstring."""
    cells = {cell.id: cell for cell in notebook_of(lesson).cells if is_exercise(cell)}
    wanted = {exercise.cell_id for exercise in lesson.exercises.values()}
    found = [f"exercise cells {sorted(cells.keys() ^ wanted)} are not those of checks.py"]
    found = found if cells.keys() != wanted else []
    for exercise in lesson.exercises.values():
        if exercise.cell_id in cells:
            stub = _definition(cells[exercise.cell_id].source, exercise.name)
            source = textwrap.dedent(inspect.getsource(lesson.solution(exercise)))
            solution = _definition(source, exercise.name)
            if stub is None or solution is None:
                found.append(f"{exercise.id}: {exercise.name} is not defined in both")
                continue
            found += _differences(exercise, stub, solution)
    return found


def _definition(source: str, name: str) -> ast.FunctionDef | ast.ClassDef | None:
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node
    return None


def _differences(exercise: Exercise, stub, solution) -> list[str]:
    found = []
    if isinstance(stub, ast.FunctionDef) and isinstance(solution, ast.FunctionDef):
        for what in ("args", "returns"):
            one, other = getattr(stub, what), getattr(solution, what)
            if (ast.unparse(one) if one else "") != (ast.unparse(other) if other else ""):
                found.append(f"{exercise.id}: stub and solution differ in their {what}")
    if ast.get_docstring(stub) != ast.get_docstring(solution):
        found.append(f"{exercise.id}: stub and solution differ in their docstring")
    if "NotImplementedError" not in ast.unparse(stub):
        found.append(f"{exercise.id}: the stub does not raise NotImplementedError")
    return found


def unfair_checks(lesson: Lesson) -> list[str]:
    """Checks accept the solution, hidden cases included, and reject every wrong answer, each with
    a message of its own."""
    found = []
    for exercise in lesson.exercises.values():
        for finding in run_cases(exercise, lesson.solution(exercise), hidden=True):
            if finding.wrong:
                found.append(f"{exercise.id} rejects its own solution: {finding.wrong}")
        if not any(case.hidden for case in exercise.cases):
            found.append(f"{exercise.id} has no hidden case")
        found += _wrong_answers(lesson, exercise)
    return found


def _wrong_answers(lesson: Lesson, exercise: Exercise) -> list[str]:
    wrongs = lesson.wrong.get(exercise.id, [])
    found = []
    if len(wrongs) < LEAST_WRONG:
        found.append(
            f"{exercise.id} has {len(wrongs)} wrong answers; at least {LEAST_WRONG} are due"
        )
    messages = {}
    for wrong in wrongs:
        report = judge(exercise, wrong, wrongs)
        if report:
            found.append(f"{exercise.id} accepts the wrong answer {wrong.__name__}")
        elif report.mistaken is not wrong:
            named = report.mistaken.__name__ if report.mistaken else "nothing"
            found.append(f"{exercise.id}: {wrong.__name__} is recognised as {named}")
        elif missing := {"got", "expected", "why"} - set(str(report).split()):
            found.append(f"{exercise.id}: the message for {wrong.__name__} lacks {sorted(missing)}")
        else:
            messages.setdefault(str(report), []).append(wrong.__name__)
    twins = [names for names in messages.values() if len(names) > 1]
    return found + [f"{exercise.id}: {names} get the same message" for names in twins]


def unclaimed(lesson: Lesson, executed: NotebookNode) -> list[str]:
    """The claims printed are the claims listed, each with criteria, each in a compared cell."""
    found = []
    for claim_id in lesson.claims:
        criteria(lesson, claim_id)  # raises where the table is not as it must be
    printed = []
    for cell in executed.cells:
        records = [o.data[MIME] for o in cell.get("outputs", []) if MIME in o.get("data", {})]
        printed += [record["id"] for record in records]
        if records and "# NBVAL_CHECK_OUTPUT" not in cell.source:
            found.append(f"cell {cell.id} prints a claim and is not marked # NBVAL_CHECK_OUTPUT")
    if sorted(printed) != sorted(lesson.claims):
        found.append(f"claims printed {sorted(printed)}, claims listed {sorted(lesson.claims)}")
    return found


def solved(lesson: Lesson) -> NotebookNode:
    """The lesson with every stub replaced by its solution, and the probe for a last cell."""
    book = notebook_of(lesson)
    for exercise in lesson.exercises.values():
        for cell in book.cells:
            if cell.id == exercise.cell_id:
                cell.source = (
                    "from course_utils.lesson.folder import exercise_of\n"
                    f"_lesson, _exercise = exercise_of({exercise.id!r})\n"
                    f"{exercise.name} = _lesson.solution(_exercise)"
                )
    book.cells.append(probe())
    return book


def probe() -> NotebookNode:
    """A last cell that moves every control, and fails where something of the lesson does."""
    source = "from course_utils.widgets.probe import prove\n"
    return new_code_cell(source + f"prove({CPU_SECONDS}, {PEAK_BYTES})", id="probe")


def hidden_errors(executed: NotebookNode) -> list[str]:
    """Errors that the run survived: in outputs, and in the state of widgets."""
    found = []
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(f"cell {cell.id}: {output.ename}: {output.evalue}")
    state = executed.metadata.get("widgets", {}).get(
        "application/vnd.jupyter.widget-state+json", {}
    )
    for model in state.get("state", {}).values():
        for output in model.get("state", {}).get("outputs", []):
            if output.get("output_type") == "error":
                found.append(f"a widget hides {output['ename']}: {output['evalue']}")
    return found


def unsolved(lesson: Lesson, executed: NotebookNode) -> list[str]:
    """In the solved notebook, every check says so."""
    text = "\n".join(
        output.get("text", "") for cell in executed.cells for output in cell.get("outputs", [])
    )
    return [
        f"{exercise.id} is never checked, or not solved by its solution"
        for exercise in lesson.exercises.values()
        if f"✓ {exercise.id} {exercise.name}: solved" not in text
    ]

"""Build a lesson's notebook: from its source, executed, with a picture in place of each panel."""

import base64
import html
import io
import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image

from course_utils import atomic
from course_utils.errors import CourseError
from course_utils.lesson.folder import Lesson
from course_utils.lesson.source import lint, notebook_of
from course_utils.locations import ONE_THREAD

WIDGET = "application/vnd.jupyter.widget-view+json"
MAX_BYTES = 400_000
CELL_SECONDS = 120


def execute(book: NotebookNode, folder: Path, on_cell=None) -> NotebookNode:
    """Run a notebook in a clean kernel in `folder`; the learner's progress is left alone.

    on_cell(index, count): called before each cell. Raises CourseError with the cell's id and the
    error. Returns the same notebook, outputs and widget state filled in.
    """

    def started(cell, cell_index):
        if on_cell:
            on_cell(cell_index, len(book.cells))

    with tempfile.TemporaryDirectory(prefix="course-") as scratch:
        env = os.environ | ONE_THREAD | {"COURSE_PROGRESS": os.path.join(scratch, "progress.json")}
        client = NotebookClient(
            book,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # its start-up warnings are not the author's
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=started,
        )
        try:
            client.execute(env=env)
        except CellExecutionError as error:
            raise CourseError(
                f"a cell failed: {_where(book)}: {error.ename}: {error.evalue}"
            ) from None
        except CellTimeoutError:
            raise CourseError(f"a cell ran longer than {CELL_SECONDS} s: {_where(book)}") from None
        except DeadKernelError:
            raise CourseError(f"the kernel died: {_where(book)}") from None
    return book


def _where(book: NotebookNode) -> str:
    """The id of the last cell that was started."""
    run = [cell.id for cell in book.cells if cell.cell_type == "code" and cell.execution_count]
    failed = [
        cell.id
        for cell in book.cells
        if any(output.output_type == "error" for output in cell.get("outputs", []))
    ]
    return f"cell {(failed or run or ['(the first)'])[-1]}"


def static(book: NotebookNode) -> NotebookNode:
    """Put its picture and its sentence in place of each panel, and drop the widget state.

    A notebook that nobody has run in a kernel of theirs shows these; a dead widget shows nothing.
    """
    book.metadata.pop("widgets", None)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [twin for output in cell.outputs for twin in _twin(output)]
            cell.metadata.pop("execution", None)
    return book


def in_few_colours(picture: str) -> str:
    """A PNG in base64, with at most 256 colours: as good to the eye, and a third of the size."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    file = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _twin(output: NotebookNode) -> list[NotebookNode]:
    data = output.get("data", {})
    if "image/png" in data:
        data["image/png"] = in_few_colours(data["image/png"])
    if WIDGET not in data:
        return [output]
    data.pop(WIDGET)
    if "image/png" not in data:
        raise CourseError("a widget was displayed that leaves no picture: show it in a Panel")
    said = html.escape(data["text/plain"], quote=False)  # a token such as <end> is no tag
    return [output, nbformat.v4.new_output("display_data", {"text/markdown": f"*{said}*"})]


def build(lesson: Lesson, on_cell=None) -> Path:
    """Build and execute one lesson; returns the notebook's path. CourseError says what failed."""
    book = notebook_of(lesson)
    if faults := lint(book):
        raise CourseError(f"{lesson.name}: " + "; ".join(faults))
    static(execute(book, lesson.path, on_cell))
    text = nbformat.writes(book) + "\n"
    if len(text.encode("utf-8")) > MAX_BYTES:
        raise CourseError(
            f"{lesson.name}: the notebook has {len(text) // 1000} kB; at most {MAX_BYTES // 1000}"
        )
    atomic.write_text(lesson.notebook, text)
    return lesson.notebook

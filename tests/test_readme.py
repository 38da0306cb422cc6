"""Every line of README.md and CONTRIBUTING.md that can be checked, is."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from PIL import Image

from course_utils.cli import COMMANDS
from course_utils.lesson.folder import all_lessons
from course_utils.lesson.readme import refreshed
from course_utils.locations import checkout

README = (checkout() / "README.md").read_text(encoding="utf-8")
GUIDE = (checkout() / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_computed_parts_are_up_to_date():
    assert refreshed(README) == README, "run `course build`"


def test_the_start_page_lists_every_lesson():
    start = next(lesson for lesson in all_lessons() if lesson.number == "00")
    outputs = [
        output
        for cell in nbformat.read(start.notebook, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    shown = "".join(output.get("data", {}).get("text/plain", "") for output in outputs)
    titles = [lesson.title for lesson in all_lessons() if lesson is not start]
    assert all(title in shown for title in titles if title != start.title), "run `course build`"


@pytest.mark.parametrize("text", [README, GUIDE], ids=["README", "CONTRIBUTING"])
def test_links_and_files_that_are_named_exist(text):
    links = re.findall(r"\]\(([^)#]+)\)", text)
    named = re.findall(
        r"`((?:tests|course_utils|notebooks)/[\w./]+|\w+\.(?:md|txt|toml|py))`", text
    )
    lesson_files = {"lesson.py", "claims.toml", "checks.py", "solutions.py", "wrong.py"}
    for name in [*links, *named]:
        if name not in lesson_files and "NN_name" not in name and "://" not in name:
            assert (checkout() / name).exists(), name


@pytest.mark.parametrize("text", [README, GUIDE], ids=["README", "CONTRIBUTING"])
def test_commands_that_are_named_exist(text):
    for command in re.findall(
        r"(?:`|^)(?:python3 course\.py|course) ([a-z-]+)", text, re.MULTILINE
    ):
        assert command in COMMANDS, command


def test_the_picture_is_a_picture():
    for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README):
        with Image.open(checkout() / name) as picture:
            assert picture.width >= 600
            assert len(set(picture.convert("RGB").resize((60, 40)).get_flattened_data())) > 50


def test_the_named_exercise_exists():
    for key in re.findall(r"`(?:course solution|check\()\W*(\d\d\.\d)", README):
        assert any(key in lesson.exercises for lesson in all_lessons())


def test_the_guide_followed_literally(tmp_path):
    """Its commands, one after the other, on a copy of the course."""
    copy = tmp_path / "course copy 课程"
    skip = shutil.ignore_patterns(".venv", "work", ".git", "__pycache__", "build", "*.safetensors")
    shutil.copytree(checkout(), copy, ignore=skip)
    for lesson in (copy / "notebooks").glob("[0-9]*"):  # a quick one among the lessons is enough
        if lesson.name not in ("00_start", "01_loss_surfaces"):
            shutil.rmtree(lesson)
    commands = re.findall(r"```bash\n\s*course (.+?)\n\s*```", GUIDE)
    assert commands == ["new 90_try", "build 90", "test --fast"]
    env = os.environ | {"PYTHONPATH": str(copy)}  # kernels run in the lesson's folder
    code = "import sys; from course_utils.cli import main; sys.exit(main())"
    for command in commands[:2]:
        subprocess.run(
            [sys.executable, "-c", code, *command.split()], cwd=copy, env=env, check=True
        )
    # The third is this very suite; of it, what judges the new lesson:
    tests = [sys.executable, "-m", "pytest", "-q", "tests/test_lessons.py", "-k", "90_try"]
    done = subprocess.run(tests, cwd=copy, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "90 · Try" in (copy / "README.md").read_text(encoding="utf-8")

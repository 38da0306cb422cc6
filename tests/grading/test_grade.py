"""Honest, wrong and almost right answers, in every sandbox that this machine offers."""

import dataclasses
import json
import time

import pytest

from course_utils.grading.remote import Answer


def by_id(result):
    return {exercise["id"]: exercise for exercise in result["exercises"]}


def test_controls(grader, handing_in):
    honest = grader(handing_in.data())
    assert (honest["status"], honest["score"], honest["max"]) == ("ok", 12, 12)
    wrong = by_id(grader(handing_in.data(softmax=handing_in.wrong)))
    assert (wrong["41.1"]["score"], wrong["41.2"]["score"]) == (0, 2)
    almost = by_id(grader(handing_in.data(softmax=handing_in.almost)))
    failed = {case["topic"] for case in almost["41.1"]["cases"] if case["status"] != "ok"}
    assert failed == {"large numbers", "the same when all is shifted"}
    assert almost["41.1"]["score"] == handing_in.almost_points
    assert almost["41.1"]["misconception"]["name"] == "nothing_taken_off"
    untouched = grader(json.dumps(handing_in.stub).encode())
    assert (untouched["status"], untouched["score"]) == ("not_attempted", 0)


def test_visible_cases_are_explained_and_hidden_ones_are_not(grader, handing_in):
    says = "def softmax(x):\n    raise ValueError(f'LEAK {x.tolist()[:3]}')\n"
    exercise = by_id(grader(handing_in.data(softmax=says)))["41.1"]
    visible = [case for case in exercise["cases"] if not case["hidden"]]
    assert all(case["got"].startswith("ValueError: LEAK [") for case in visible)
    hidden = [case for case in exercise["cases"] if case["hidden"]]
    assert len(hidden) == 5
    assert "LEAK" not in json.dumps(hidden)
    assert all(case["finding"] == case["headline"] for case in hidden)


@pytest.mark.parametrize(
    ("softmax", "status", "score", "says"),
    [
        ("def softmax(x) return", "wrong", 0, "SyntaxError"),
        ("pass", "wrong", 0, "defines no function softmax"),
        ("from course_utils.lesson import check\nplot(1)\nRIGHT", "ok", 8, ""),
        ("RIGHT\nimport matplotlib.pyplot as plt\nplt.plot([1])", "ok", 8, ""),
        ("def softmax(x):\n    return x", "wrong", 0, "expected"),
        ("def softmax(x):\n    return x.tolist()", "wrong", 0, "a list of length 2"),
        ("def softmax(x):\n    x.zero_()\n    return x", "wrong", 0, "argument 1 changed"),
        ("def softmax(x):\n    return torch.ones(2**33)", "memory", 0, "more memory"),
        ("def softmax(x):\n    return np.ones(2**33)", "memory", 0, "more memory"),
        ("import os\ndef softmax(x):\n    os._exit(0)", "crashed", 0, "ended"),
        ("def softmax(x):\n    import ctypes; ctypes.string_at(0)", "crashed", 0, "ended"),
        ("if True:\n    while len('x'): pass", "timeout", 0, "no answer in the time"),
        (
            "softmax = None\nimport torch.optim\nw = torch.ones(2, requires_grad=True)\n"
            "o = torch.optim.AdamW([w])\nw.sum().backward()\no.step()\nRIGHT", "ok", 8, "",
        ),
    ],
)  # fmt: skip
def test_statuses(grader, handing_in, monkeypatch, softmax, status, score, says):
    right = handing_in.cells()["exercise-41-1"]
    if status == "timeout":
        limits = dataclasses.replace(grader.sandbox.limits, seconds=3.0)
        monkeypatch.setattr(grader.sandbox, "limits", limits)
    result = grader(handing_in.data(softmax=softmax.replace("RIGHT", right)))
    exercise = by_id(result)["41.1"]
    assert (exercise["status"], exercise["score"]) == (status, score), exercise["finding"]
    assert says in exercise["finding"]
    assert [by_id(result)[key]["status"] for key in ("41.2", "41.3")] == ["ok", "ok"]


def test_the_time_that_questions_take_to_make_is_not_the_answers(grader, handing_in, monkeypatch):
    ask = Answer.ask

    def ask_late(*args):
        time.sleep(0.9)
        return ask(*args)

    limits = dataclasses.replace(grader.sandbox.limits, seconds=6.0)
    monkeypatch.setattr(grader.sandbox, "limits", limits)
    monkeypatch.setattr(Answer, "ask", ask_late)
    began = time.monotonic()
    result = grader(handing_in.data())
    assert (result["status"], result["score"]) == ("ok", 12)
    assert time.monotonic() - began > limits.seconds


def test_a_case_that_kills_the_process_costs_only_itself(grader, handing_in):
    right = handing_in.cells()["exercise-41-1"].replace("def softmax", "def right")
    dies = "\ndef softmax(x):\n    len(x) > 1 or __import__('os')._exit(3)\n    return right(x)"
    exercise = by_id(grader(handing_in.data(softmax=right + dies)))["41.1"]
    failed = {case["topic"]: case["status"] for case in exercise["cases"] if not case["score"]}
    assert failed == {"one number": "crashed"}


def test_same_seed_same_result_to_the_byte(grader, handing_in):
    source = "def softmax(x):\n    return torch.rand(len(x), dtype=x.dtype)"
    data = handing_in.data(softmax=source)
    once, twice = grader(data), grader(data)
    assert json.dumps(once) == json.dumps(twice)

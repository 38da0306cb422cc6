"""The panels of the twenty-first lesson."""

from collections.abc import Callable
from functools import partial

from course_utils.editing import rome, trace
from course_utils.editing.trace import SITES
from course_utils.viz.editing import EditCanvas, ManyCanvas, TraceCanvas
from course_utils.widgets.controls import choice, slider, steps, switch, text
from course_utils.widgets.panel import Panel
from course_utils.zoo import edit_views
from course_utils.zoo.desk import METHODS
from course_utils.zoo.edit_runs import COUNTS


def edit_panel(rank_one_edit: Callable = rome.rank_one_edit) -> Panel:
    """One fact, edited live: by any method, the rank-one edit by `rank_one_edit`, to any word that
    is typed."""
    first = ["rank one", *[name for name in METHODS if name != "rank one"]]
    return Panel(
        "One edit and what it does",
        partial(edit_views.watch_edit, write=rank_one_edit),
        EditCanvas(),
        {
            "question": choice("question", list(edit_views.questions())),
            "word": text("new answer", "anna", "boris", at_once=False),
            "method": choice("method", first),
            "layer": slider("layer", 0, 5, edit_views.the_desk().layer(), 1),
            "n_step": slider("steps", 1, 40, 20, 1),
            "strength": steps("covariance", [0.0, 0.5, 0.9, 0.99, 0.999], 0.99),
        },
    )


def trace_panel(causal_trace: Callable = trace.causal_trace) -> Panel:
    """A causal trace, computed by `causal_trace`."""
    return Panel(
        "Causal trace",
        partial(edit_views.watch_trace, trace=causal_trace),
        TraceCanvas(),
        {
            "fact": slider("fact", 0, 2, 0, 1),
            "site": choice("site", list(SITES)),
            "noise": slider("noise", 0.0, 6.0, 3.0, 0.5),
            "window": steps("window", [1, 2, 3], 1),
        },
    )


def many_panel() -> Panel:
    """Many edits of one model: what was measured."""
    return Panel(
        "Edit many",
        edit_views.watch_many,
        ManyCanvas(),
        {
            "n": steps("edits", list(COUNTS), 10),
            "at_once": switch("all at once", True),
            "identity": switch("identity", False),
            "tuning": switch("fine-tuning", True),
            "row": choice("measured on", ["mean", "1", "2", "3"]),
        },
    )

"""The shapes in the signatures are checked while edits run."""

import subprocess
import sys

CHILD = """
from jaxtyping import TypeCheckError, install_import_hook
with install_import_hook("course_utils.editing", "beartype.beartype"):
    import torch
    from course_utils.core import ModelConfig, Transformer
    from course_utils.editing import fine_tune, hypernet, rome, scores, trace

model = Transformer(ModelConfig(11, 3, 16, 2, d_mlp=24))
C = rome.softened(rome.key_covariances(model, [1], torch.tensor([[1, 2, 3]]), [[1, 2]])[0], 0.9)
rome.rome(model, 1, [1, 2], 3, C, at=-2)
fine_tune.fine_tune(model, [[1, 2]], [3], n_step=2)
editor = hypernet.Editor(hypernet.EditorConfig((1, 2), 24, 16, 4))
hypernet.hyper_edit(model, editor, [1, 2], 3)
traced = trace.Traced(model, [1, 2], 3, "MLP", 3)
noisy = traced.noisy([0], 3.0, torch.Generator(), 2)
trace.causal_trace(traced.run, traced.clean(), noisy, traced.patch)
ids = torch.tensor([1, 2])
scores.edit_metrics(ids, ids, {"group": ids, "wanted": ids})
try:
    rome.rank_one_edit(C, C[0], C, C)
except TypeCheckError:
    print("checked")
"""


def test_shapes_of_editing():
    done = subprocess.run([sys.executable, "-B", "-c", CHILD], capture_output=True, text=True)
    assert done.stdout == "checked\n", done.stderr

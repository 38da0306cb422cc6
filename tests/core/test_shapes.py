"""The shapes in the signatures are checked while every part of the core runs."""

import subprocess
import sys

CHILD = """
from jaxtyping import TypeCheckError, install_import_hook
with install_import_hook("course_utils.core", "beartype.beartype"):
    import torch
    from course_utils import core
    from course_utils.core import cnn, mlp, residual

ids, padding = torch.arange(24).view(2, 12), torch.tensor([0, 5])
for position in ("rope", "learned", "alibi", "none"):
    for settings in (
        {"n_kv_head": 2, "qk_norm": True, "input_shift": True},
        {"norm": "layer", "activation": "gelu", "bias_mlp": True, "tie_head": False},
    ):
        config = core.ModelConfig(29, 2, 64, 4, position=position, **settings)
        model = core.Transformer(config)
        core.set_precision(model, "bfloat16")
        with core.recording(model, "*"):
            model(ids, padding=padding)
        model(ids.repeat(8, 1)).sum().backward()
mlp.MLP([3, 4, 2], p=0.5)(torch.ones(5, 3))
cnn.CNN(8, 10)(torch.ones(2, 1, 8, 8))
cnn.CNN(8, 10, share=False)(torch.ones(2, 1, 8, 8))
cnn.conv_matrix(torch.ones(2, 3, 2, 2), 5, 5)
for connection in residual.CONNECTIONS:
    for norm in ("none", "batch", "layer"):
        residual.DeepNet(3, 4, 2, 2, connection, norm)(torch.ones(5, 3))
try:
    model(ids[0])
except TypeCheckError:
    print("checked")
"""


def test_shapes_of_the_core():
    done = subprocess.run([sys.executable, "-B", "-c", CHILD], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "checked\n"), done.stderr

"""The shapes in the signatures are checked while decoding runs."""

import subprocess
import sys

CHILD = """
from jaxtyping import TypeCheckError, install_import_hook
with install_import_hook("course_utils.decoding", "beartype.beartype"):
    import torch
    from course_utils.core import ModelConfig, Transformer
    from course_utils.decoding import beam, generate, top_p

prompts = [[1, 2, 3], [4], [5, 6]]
for position in ("rope", "learned", "alibi", "none"):
    for settings in (
        {"n_kv_head": 2, "qk_norm": True, "input_shift": True},
        {"norm": "layer", "activation": "gelu", "bias_mlp": True, "tie_head": False},
    ):
        model = Transformer(ModelConfig(29, 2, 16, 4, position=position, **settings))
        for flat in (True, False):
            rng = torch.Generator()
            result = generate(
                model, prompts, 9, rng=rng, stop=[3, [4, 5]], top_k=9, top_p=0.9, min_p=0.01,
                temperature=0.7, repetition_penalty=1.1, n_samples=2, flat=flat,
                on_token=lambda step, ids: None,
            )
        generate(model, torch.tensor(prompts[0]), 3, temperature=0.0)
        beam(model, prompts[0], 4, width=3, stop=[1])
assert result.mask.shape == result.tokens.shape
try:
    top_p(torch.tensor([1, 2]), 0.5)
except TypeCheckError:
    print("checked")
"""


def test_shapes_of_decoding():
    done = subprocess.run([sys.executable, "-B", "-c", CHILD], capture_output=True, text=True)
    assert done.stdout == "checked\n", done.stderr

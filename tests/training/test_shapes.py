"""The shapes in the signatures of optim and training are checked while they run."""

import subprocess
import sys

CHILD = """
from jaxtyping import TypeCheckError, install_import_hook
with install_import_hook(["course_utils.optim", "course_utils.training"], "beartype.beartype"):
    import torch
    from course_utils import optim
    from course_utils.optim import losses, orthogonal, schedules
    from course_utils.training import fit, mean_loss, next_token_loss, replay, shuffled, windows
    from course_utils.training import language, sft
from course_utils.core import ModelConfig, Transformer

def model():
    return Transformer(ModelConfig(d_vocab=11, n_layer=1, d_model=16, n_head=2))

tokens = torch.arange(99) % 11
batches = replay(windows(tokens, 2, 8, 0), shuffled(tokens[:90].view(10, 9), 2, 0))
for make in (optim.muon_and_adamw, lambda m: optim.TorchOptimizer(m.parameters(), optim.adamw())):
    student = model()
    fit(student, batches, next_token_loss, make(student), 3, schedule=schedules.cosine(3),
        evaluate=mean_loss([batches(0)], next_token_loss), eval_every=2, progress=False)
for rule in (optim.sgd(), optim.momentum(), optim.adagrad(), optim.rmsprop(), optim.adam()):
    weight = torch.ones(2, 3, requires_grad=True)
    optimizer = optim.TorchOptimizer([weight], optim.l2(rule, 0.1), flat=True)
    weight.sum().backward()
    optimizer.step()
rows = sft.packed([sft.Example([1, 2, 3], [True] * 3)] * 4, n_pos=8, pad=0)
student = model()
fit(student, [rows], sft.sft_loss, optim.muon_and_adamw(student), 1, progress=False)
language.distillation_loss(model())(model(), tuple(rows))
losses.cross_entropy(torch.zeros(2, 3, 5), torch.zeros(2, 3, dtype=torch.int64))
try:
    orthogonal.orthogonalized(torch.ones(3))
except TypeCheckError:
    print("checked")
"""


def test_shapes_of_optim_and_training():
    # -B: the hook keeps what a hooked module imports under the name of checked code
    done = subprocess.run([sys.executable, "-B", "-c", CHILD], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "checked\n"), done.stderr

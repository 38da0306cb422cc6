"""Resuming bit for bit, and what happens to damaged, foreign and half-written checkpoints."""

import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import atomic, optim
from course_utils.core import ModelConfig, Transformer
from course_utils.errors import CourseError
from course_utils.optim import schedules
from course_utils.training import fit, next_token_loss, shuffled, windows
from course_utils.training.checkpoint import Store

TEXT = torch.randint(0, 11, (400,), generator=torch.Generator().manual_seed(5))
N_STEP = 12


def transformer():
    return Transformer(ModelConfig(d_vocab=11, n_layer=1, d_model=16, n_head=2))


OPTIMIZERS = {
    "muon and adamw": optim.muon_and_adamw,
    "flat adam": lambda m: optim.TorchOptimizer(m.parameters(), optim.adam(), flat=True),
    "sgd": lambda m: optim.TorchOptimizer(m.parameters(), optim.sgd()),
    "torch adamw": lambda m: torch.optim.AdamW(m.parameters()),
    "torch fused": lambda m: torch.optim.AdamW(m.parameters(), fused=True),
    "torch sgd": lambda m: torch.optim.SGD(m.parameters(), 0.1, momentum=0.9),
}


def weights_of(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def train(make, n_step, folder=None, end=N_STEP, **options):
    """A run from new objects, as after a restart of the process."""
    model, rng = transformer(), torch.Generator().manual_seed(9)
    batches = windows(TEXT, 4, 8, seed=3)

    def noisy(model, ids):
        flip = torch.rand(ids.shape, generator=rng) < 0.1  # draws from a generator of its own
        total, count = next_token_loss(model, torch.where(flip, (ids + 1) % 11, ids))
        return total * (1 + 0.1 * torch.rand(())), count  # and from torch's global one

    torch.manual_seed(4)
    history = fit(
        model, batches, noisy, make(model), n_step, schedule=schedules.cosine(end, 2),
        checkpoint=folder, save_every=4, generators={"flips": rng}, progress=False, **options,
    )  # fmt: skip
    return weights_of(model), history


@pytest.mark.parametrize("stop", [3, 8])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resumed_equals_unbroken_bit_for_bit(tmp_path, name, stop):
    whole, all_of_it = train(OPTIMIZERS[name], N_STEP)
    train(OPTIMIZERS[name], stop, tmp_path)
    resumed, history = train(OPTIMIZERS[name], N_STEP, tmp_path)
    assert torch.equal(resumed, whole) and history.losses == all_of_it.losses


def test_resuming_says_so_and_a_finished_run_is_not_run_again(tmp_path, capsys):
    first, _ = train(OPTIMIZERS["sgd"], N_STEP, tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again, history = train(OPTIMIZERS["sgd"], N_STEP, tmp_path)
    assert torch.equal(first, again) and history.stopped == "finished"
    assert f"going on after step 12, saved in {tmp_path}" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files


def test_early_stopping_survives_a_restart(tmp_path):
    def options():
        values = {4: 2.0, 8: 1.0, 12: 3.0, 16: 3.0}
        steps = iter(sorted(values))
        return {"eval_every": 4, "patience": 2, "evaluate": lambda model: values[next(steps)]}

    whole, history = train(OPTIMIZERS["sgd"], 40, None, **options())
    assert (history.stopped, history.best_step, history.step) == ("early", 8, 16)
    after_12 = options() | {"evaluate": lambda model: 3.0}
    train(OPTIMIZERS["sgd"], 12, tmp_path, **options())
    resumed, history = train(OPTIMIZERS["sgd"], 40, tmp_path, **after_12)
    assert torch.equal(resumed, whole) and history.evals == [(4, 2), (8, 1), (12, 3), (16, 3)]


def test_threads_of_the_run_are_kept_when_it_resumes(tmp_path):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        train(OPTIMIZERS["sgd"], 4, tmp_path)
        torch.set_num_threads(1)
        seen = []
        train(
            OPTIMIZERS["sgd"],
            6,
            tmp_path,
            callbacks=[lambda h: seen.append(torch.get_num_threads())],
        )
        assert seen == [2, 2] and torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_the_last_two_are_kept_and_leftovers_swept(tmp_path):
    (tmp_path / ".step-00000004.safetensors.ab_12xyz.tmp").write_bytes(b"half")
    (tmp_path / "step-00000099.safetensors").write_bytes(b"its JSON never came")
    (tmp_path / "notes.tmp").write_bytes(b"not ours")
    train(OPTIMIZERS["sgd"], N_STEP, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "notes.tmp",
        "step-00000008.json",
        "step-00000008.safetensors",
        "step-00000012.json",
        "step-00000012.safetensors",
    ]


def damage_cases():
    for part in ("safetensors", "json"):
        for what in ("emptied", "halved", "bit flipped", "missing"):
            if (part, what) != ("json", "missing"):
                yield part, what


@pytest.mark.parametrize(("part", "what"), list(damage_cases()))
def test_a_damaged_newest_falls_back_and_says_so(tmp_path, capsys, part, what):
    whole, _ = train(OPTIMIZERS["torch adamw"], N_STEP)
    train(OPTIMIZERS["torch adamw"], 10, tmp_path)  # checkpoints of steps 8 and 10
    path = tmp_path / f"step-00000010.{part}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if what == "missing":
        path.unlink()
    else:
        path.write_bytes({"emptied": b"", "halved": data[: len(data) // 2]}.get(what, data))
    resumed, _ = train(OPTIMIZERS["torch adamw"], N_STEP, tmp_path)
    said = capsys.readouterr().err
    assert "checkpoint of step 10" in said and "damaged" in said
    assert "going on after step 8" in said
    assert torch.equal(resumed, whole)
    assert list(tmp_path.glob("*10*.damaged"))


def test_nothing_readable_is_one_sentence(tmp_path):
    train(OPTIMIZERS["sgd"], 5, tmp_path)
    for path in tmp_path.glob("*.json"):
        path.write_text("{", encoding="utf-8")
    with pytest.raises(CourseError, match="no checkpoint in .* delete the folder to start anew"):
        train(OPTIMIZERS["sgd"], N_STEP, tmp_path)


def test_every_truncation_is_noticed(tmp_path):
    train(OPTIMIZERS["sgd"], 5, tmp_path)
    path = tmp_path / "step-00000005.safetensors"
    data = path.read_bytes()
    for place in range(20):
        path.write_bytes(data[: len(data) * place // 20])
        with pytest.raises(ValueError, match="do not match their SHA-256"):
            Store(tmp_path)._read(5)


def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(tmp_path):
    train(OPTIMIZERS["torch adamw"], 4, tmp_path)
    model = Transformer(ModelConfig(d_vocab=11, n_layer=1, d_model=16, n_head=2, d_mlp=24))
    before = weights_of(model)
    with pytest.raises(CourseError, match=r"another model: 'blocks.0.mlp.gate.weight' has shape"):
        fit(
            model, windows(TEXT, 4, 8, 0), next_token_loss, torch.optim.AdamW(model.parameters()),
            9, checkpoint=tmp_path, progress=False,
        )  # fmt: skip
    assert torch.equal(weights_of(model), before)


def test_a_checkpoint_of_another_optimizer_is_refused(tmp_path):
    train(OPTIMIZERS["muon and adamw"], 4, tmp_path)
    with pytest.raises(CourseError, match="of the rules|another optimizer"):
        train(OPTIMIZERS["flat adam"], 9, tmp_path)


@pytest.mark.parametrize("lost", ["history", "optimizer", "n_thread"])
def test_a_record_of_another_kind_is_one_sentence(tmp_path, lost):
    train(OPTIMIZERS["sgd"], 4, tmp_path)
    store = Store(tmp_path)
    tensors, record = store.newest()
    del record[lost]
    store.save(5, tensors, record)
    with pytest.raises(CourseError, match="another kind .* folder of its own"):
        train(OPTIMIZERS["sgd"], 9, tmp_path)


def test_a_full_disk_is_one_sentence_and_spoils_nothing(tmp_path, monkeypatch):
    train(OPTIMIZERS["sgd"], 5, tmp_path)
    good = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(path, save):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "write_with", full)
    with pytest.raises(CourseError, match="cannot write the checkpoint .*; those before it are"):
        train(OPTIMIZERS["sgd"], 9, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == good


def test_no_pickle_is_written(tmp_path):
    train(OPTIMIZERS["muon and adamw"], 5, tmp_path)
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        assert path.suffix in (".safetensors", ".json") and b"torch._utils" not in data
        if path.suffix == ".json":
            json.loads(json.loads(data)["record"])


def test_shared_weights_are_saved_and_restored(tmp_path):
    def tied():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
        model[2].weight = model[0].weight
        return model

    def loss(model, batch):
        return F.mse_loss(model(batch), batch.flip(-1))

    data = shuffled(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), 4, 0)
    ends = []
    for stops in ([6], [3, 6]):
        for stop in stops:
            model = tied()
            optimizer = torch.optim.Adam(model.parameters())
            folder = tmp_path / str(len(stops))
            fit(model, data, loss, optimizer, stop, checkpoint=folder, progress=False)
        ends.append(weights_of(model))
        assert model[2].weight is model[0].weight
    assert torch.equal(ends[0], ends[1])

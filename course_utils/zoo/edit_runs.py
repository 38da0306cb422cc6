"""Many edits of TinyWorld models, and of SmolLM2, measured once and kept.
`python -m course_utils.zoo.edit_runs [PART…]` measures what is not kept for this code and models.

A row is one checkpoint and one draw of facts: of three checkpoints where three seeds are shipped,
else three draws of facts for one. The editor network was made for one checkpoint: three draws.
"""

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch

from course_utils.atomic import write_text
from course_utils.core import Transformer
from course_utils.core.threads import tune_process
from course_utils.editing import (
    answers,
    copies,
    fine_tune,
    hypernet,
    in_context,
    memory,
    rome,
    scores,
    trace,
)
from course_utils.provenance import code_digest
from course_utils.worlds import rewrites
from course_utils.worlds.rewrites import Rewrite
from course_utils.zoo import desk, real_facts, smollm2, store
from course_utils.zoo.desk import GROUPS, METHODS, Desk
from course_utils.zoo.real_facts import mean_and_half
from course_utils.zoo.recipe import SEEDS, named

FILE = Path(__file__).with_suffix(".json")
BASE, EDITOR = "world-chat", "world-editor"
N_EDIT, N_FEW = 50, 6  # facts that are edited, and where each is edited many times
COUNTS = (1, 2, 5, 10, 20, 35, 50)  # edits of one model
STEPS, RATE = (1, 2, 4, 8, 16), 1e-3  # of fine-tuning, to convergence and beyond
DEMONSTRATIONS = {"none": "", "copies": "cp", "copies and truths": "ckk"}


def rows() -> list[tuple[str, int]]:
    """(checkpoint, draw of facts), three of them."""
    checkpoints = [named(BASE, seed) for seed in SEEDS]
    if set(checkpoints) <= set(store.names()):
        return [(name, 0) for name in checkpoints]
    return [(BASE, draw) for draw in range(3)]


# -- parts: each is measured alone, on a desk and a draw of facts


def edits(at: Desk, draw: int, method: str) -> dict:
    """Shares by group over N_EDIT edits by a method, with half of their 95% interval."""
    facts = at.facts(N_EDIT, draw)
    made = map(functools.partial(METHODS[method], at), facts)
    if method.startswith("rank one"):  # the same, their values searched for together
        strength = desk.STRENGTH if method == "rank one" else 0.0
        made = desk.rank_ones(at, facts, strength=strength)
    return _over(at, facts, made)


def editor(at: Desk) -> list[dict]:
    """The same for the editor network and for one step of fine-tuning, for three draws."""
    ways = {
        "editor network": desk.by_editor,
        "one step": functools.partial(desk.tuned, lr=RATE, n_step=1),
    }
    drawn = [at.facts(N_EDIT, each) for each in range(3)]
    return [
        {
            name: _over(at, facts, map(functools.partial(way, at), facts))
            for name, way in ways.items()
        }
        for facts in drawn
    ]


def _over(at: Desk, facts: Sequence[Rewrite], made: Iterable[Transformer | Callable]) -> dict:
    """Mean over edits, and half of its 95% interval, of each group's share; the change of the
    weights beside them."""
    shares, moved = [], []
    for each, new in zip(facts, made, strict=True):
        changed = isinstance(new, Transformer)
        shares.append(at.score(each, at.answering(new) if changed else new))
        moved.append(fine_tune.relative_change(at.model, new) if changed else 0.0)
    found = {g: mean_and_half([row[g] for row in shares if g in row]) for g in GROUPS}
    return found | {"change": mean_and_half(moved)}


def _means(over: dict) -> dict[str, float]:
    return {group: mean for group, (mean, _) in over.items()}


def layers(at: Desk, draw: int) -> dict:
    """The trace of every layer's MLP and what an edit there does: at the last token, and at the
    last token of the name, where the textbook puts it."""
    facts = at.facts(N_FEW, draw)
    traces = [at.trace(each) for each in facts]
    names = [at.traced(each)[1][-1] - len(each.prompt.split()) for each in facts]
    found = {"traced layer": at.layer()}
    for place, ends in (("last token", [-1] * len(facts)), ("name", names)):
        found[place] = []
        for layer in range(at.model.config.n_layer):
            traced = [float(t[layer, end]) for t, end in zip(traces, ends, strict=True)]
            over = _over(at, facts, desk.rank_ones(at, facts, layer, at=ends))
            found[place].append({"trace": sum(traced) / len(traced)} | _means(over))
    return found


def many(at: Desk, draw: int) -> dict:
    """N edits of one model, N in COUNTS: shares over the probes of all N facts that were edited,
    and over those of N_FEW others."""
    drawn = at.facts(N_EDIT + N_FEW, draw)
    facts, others = drawn[:N_EDIT], drawn[N_EDIT:]
    ways: dict[str, Callable] = {
        "all at once": desk.all_at_once,
        "one by one": desk.one_by_one,
        "one by one, identity": functools.partial(desk.one_by_one, strength=0.0),
        "fine-tuning": functools.partial(desk.tuned_together, lr=1e-3, n_step=40),
    }
    found = {}
    for name, way in ways.items():
        found[name] = []
        for n in COUNTS:
            say = at.answering(way(at, facts[:n]))
            follow = _pooled(at, facts[:n], say, ("edited", "paraphrase"))
            others_kept = _pooled(at, others, say, ("others", "namesakes", "same person"))
            found[name].append(follow | {"locality": others_kept["all"]})
    return found


def _pooled(at: Desk, facts: Sequence, say: Callable, groups: Sequence[str]) -> dict[str, float]:
    """Shares over the probes of these groups, of all these facts together; the edited facts
    themselves are no neighbours of each other."""
    probes = [p for each in facts for p in each.probes if p.group in groups]
    prompts = [p.prompt for p in probes]
    before, after = answers.answers(at.model, at.ids(prompts)), say(prompts)
    wanted = torch.tensor([at.token(p.answer) if p.answer else -1 for p in probes])
    by_group = scores.shares(before, after, wanted, [p.group for p in probes])
    return by_group | {"all": scores.shares(before, after, wanted, ["all"] * len(probes))["all"]}


def frontier(at: Desk, draw: int) -> list[dict]:
    """Fine-tuning on one fact, after each number of STEPS: shares by group."""
    facts = at.facts(N_FEW, draw)
    tuned = functools.partial(desk.tuned, at, lr=RATE, until=2.0)
    return [_means(_over(at, facts, map(functools.partial(tuned, n_step=n), facts))) for n in STEPS]


def suppositions(at: Desk, draw: int) -> dict:
    """Edits of the context after demonstrations, and what is left of one without its prompt."""
    facts = at.facts(N_FEW, draw)
    return {
        name: _means(_over(at, facts, [desk.supposed(at, each, kinds) for each in facts]))
        for name, kinds in DEMONSTRATIONS.items()
    }


def ruler(at: Desk, draw: int) -> dict:
    """An answer to a question that the world does not answer: probabilities of the new name."""
    return desk.crown(at, ("anna", "boris", "clara")[draw]).measured()


BY_ALL = [method for method in METHODS if method != "editor network"]
PARTS = {
    **{method: functools.partial(edits, method=method) for method in BY_ALL},
    "layers": layers,
    "many": many,
    "frontier": frontier,
    "suppositions": suppositions,
    "ruler": ruler,
}


# -- what is kept


def made_by(key: str, part: str) -> str:
    """Of the code and the models that a part of an entry depends on."""
    if key == "real":
        code, models = [rome, fine_tune, real_facts], smollm2.GGUF_SHA256.encode()
    else:
        names = [BASE, EDITOR] if key == "editor" else [key.split()[0]]
        names += [desk.READER] if part == "memory" else []
        measure = editor if key == "editor" else PARTS[part]
        code = [
            answers,
            copies,
            fine_tune,
            hypernet,
            in_context,
            memory,
            rome,
            scores,
            trace,
            rewrites,
            desk,
        ]
        code += [getattr(measure, "func", measure), _over, _means, _pooled]
        models = store.hashes(names)
    numbers = repr((N_EDIT, N_FEW, COUNTS, STEPS, RATE, DEMONSTRATIONS))
    return code_digest(code, f"\n{numbers}".encode() + models)


@functools.cache
def stored(key: str) -> dict:
    """What is kept of an entry: "world-chat 0" and so on, "editor", "real"."""
    return {part: row["value"] for part, row in _read()[key].items()}


def kept(part: str) -> list[dict]:
    """A part of each of the three rows."""
    return [stored(f"{name} {draw}")[part] for name, draw in rows()]


def entries() -> dict[str, dict[str, Callable]]:
    """What is to be kept: by key, what measures each of its parts."""
    found = {}
    for name, draw in rows():
        found[f"{name} {draw}"] = {
            part: lambda measure=measure, name=name, draw=draw: measure(_at(name), draw)
            for part, measure in PARTS.items()
        }
    real = {
        method: lambda method=method: real_facts.measure(_real(), method)
        for method in real_facts.METHODS
    }
    return found | {"editor": {"draws": lambda: editor(_at(BASE))}, "real": real}


_at = functools.lru_cache(maxsize=1)(Desk)
_real = functools.lru_cache(maxsize=1)(real_facts.Real)


def keep(key: str, part: str) -> None:
    """Measure one part of an entry and write it, if it is not yet kept by this very code and these
    models."""
    by = made_by(key, part)
    if _read().get(key, {}).get(part, {}).get("by") == by:
        return
    value = _rounded(entries()[key][part]())
    # Read now: another process may have written meanwhile.
    found = {name: dict(_read().get(name, {})) for name in entries()}
    found[key][part] = {"by": by, "value": value}
    _write(found)
    print(key, part, flush=True)


def main(wanted: Sequence[str]) -> None:
    """Keep everything, or the entries ("real", "editor") and parts that are named."""
    tune_process(n_thread=1)
    for key, parts in entries().items():
        for part in parts:
            if not wanted or {key, part} & set(wanted):
                keep(key, part)


def _read() -> dict[str, dict]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def _write(found: dict) -> None:
    lines = [
        f"{json.dumps(key)}: {{\n"
        + ",\n".join(f" {json.dumps(part)}: {json.dumps(row)}" for part, row in parts.items())
        + "\n}"
        for key, parts in found.items()
    ]
    write_text(FILE, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

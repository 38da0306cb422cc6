"""`course grade PATH…`."""

import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from course_utils import atomic
from course_utils.errors import CourseError
from course_utils.grading import batch
from course_utils.grading.collect import Submission, collect
from course_utils.grading.limits import Limits
from course_utils.grading.report import report, write_all
from course_utils.grading.sandbox import TIERS
from course_utils.grading.secret import load_secret
from course_utils.grading.store import Store
from course_utils.lesson.folder import lesson_of


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("paths", nargs="+", type=Path, metavar="PATH", help="notebooks, folders, zip archives")
    add("--lesson", metavar="NN", help="grade this lesson only (default: each by its own id)")
    add("--out", type=Path, default=Path("grades"), help="folder of the results (%(default)s)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    add("--seed-file", type=Path, help="secret of the hidden cases; made if it does not exist "
        "(default: beside the results, with the ending .seed)")  # fmt: skip
    add("--sandbox", choices=["auto", *TIERS], default="auto", help="default: the best there is")
    add("--seconds", type=float, default=Limits.seconds, help="per exercise (%(default)g)")
    add("--scheduler", metavar="ADDRESS", help="a Dask cluster's, to grade on several machines")
    add("--json", action="store_true", help="print one JSON object")


def run(args) -> int:
    if args.jobs < 1 or args.seconds <= 0:
        raise CourseError(f"--jobs {args.jobs} and --seconds {args.seconds:g} must be above 0")
    lesson = lesson_of(args.lesson).name if args.lesson else None
    submissions = collect(args.paths)
    seed_file = args.seed_file or args.out.with_name(args.out.name + ".seed")
    secret, made = load_secret(seed_file)
    if made:
        _say(f"made the secret {seed_file}: keep it, and keep it from learners")
    settings = batch.Settings(secret.seed, Limits(seconds=args.seconds), args.sandbox, lesson)
    try:
        with _pool(args, settings, len(submissions)) as pool:
            _say(f"sandbox: {pool.tier} (self-test passed)")
            store = Store(args.out / "results", secret, settings.circumstances(pool.tier))
            for folder in (args.out, args.out / "results", args.out / "feedback"):
                atomic.sweep(folder)  # of an earlier run that was killed
            results = _graded(submissions, store, pool)
            tier = pool.tier
    except batch.NoSandbox as reason:
        if args.sandbox != "auto":
            raise
        tier, results = "none", [_by_oneself(args, submissions, secret, lesson, reason)]
        store = Store(args.out / "results", secret, settings.circumstances(tier))
    except KeyboardInterrupt:
        _say(f"stopped; the same command goes on from {args.out}")
        raise
    for path in store.forged:
        _say(f"{path} was not written by this grader, or was changed since: graded again")
    write_all(args.out, store, submissions, results, tier)
    answer = report(submissions, results, tier)
    print(json.dumps(answer) if args.json else _table(answer, args.out))
    return 1 if any(result["status"] == "sandbox_error" for result in results) else 0


def _pool(args, settings: batch.Settings, count: int):
    if args.scheduler:
        from course_utils.grading.cluster import Cluster

        return Cluster(settings, args.scheduler)
    return batch.Pool(settings, min(args.jobs, count))


def _graded(submissions: list[Submission], store: Store, pool) -> list[dict]:
    with tqdm(total=len(submissions), unit="submission", file=sys.stderr, mininterval=0.5) as bar:
        return batch.run(submissions, store, pool, lambda done: bar.update(done - bar.n))


def _by_oneself(args, submissions, secret, lesson, reason: Exception) -> dict:
    """Without a sandbox only a notebook of one's own is run, one that was named as a file."""
    from course_utils.grading.selfcheck import self_check

    if [submission.path for submission in submissions] != args.paths or len(submissions) != 1:
        raise CourseError(str(reason)) from None
    if submissions[0].entry is not None:
        raise CourseError(str(reason)) from None
    _say("no sandbox works here: this is a self-check, not an official grade")
    return self_check(submissions[0].read(), lesson, secret)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _table(answer: dict, out: Path) -> str:
    official = "official" if answer["official"] else "a self-check, not official"
    rows = [f"sandbox: {answer['tier']} ({official})", ""]
    for row in answer["submissions"]:
        points = f"{row['score']:>3} of {row['max']:<3}"
        rows.append(f"{row['learner']:<24} {points} {row['status']:<14} {row['file']}")
    return "\n".join([*rows, "", f"results, feedback and summary are in {out}"])

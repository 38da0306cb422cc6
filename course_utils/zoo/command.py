"""`course zoo list | train NAME… | verify [NAME…] | card NAME`."""

import json
import multiprocessing
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait

from tqdm import tqdm

from course_utils.errors import CourseError
from course_utils.zoo import store
from course_utils.zoo.recipe import Recipe, measured, train
from course_utils.zoo.recipes import RECIPES, find


def add_arguments(parser) -> None:
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    listing = tasks.add_parser("list", help="the models, their sizes and what they are")
    training = tasks.add_parser("train", help="train models anew, from their recipes")
    training.add_argument("names", nargs="+", metavar="NAME", help="models, or `all`")
    training.add_argument("--device", default="cpu", help="cpu (default), cuda, mps")
    training.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="models trained at a time (default 1)"
    )
    checking = tasks.add_parser("verify", help="measure again what the cards say")
    checking.add_argument("names", nargs="*", metavar="NAME", help="models (default: all)")
    showing = tasks.add_parser("card", help="everything known about one model")
    showing.add_argument("name", metavar="NAME")
    for task, work in ((listing, _list), (training, _train), (checking, _verify), (showing, _card)):
        task.add_argument("--json", action="store_true", help="print one JSON object")
        task.set_defaults(work=work)


def run(args) -> int:
    return args.work(args)


def _list(args) -> int:
    cards = [store.card(name) for name in store.names()]
    if args.json:
        print(json.dumps({"models": cards}, ensure_ascii=False))
        return 0
    for card in cards:
        millions = card["n_parameter"] / 1e6
        print(f"{card['name']:22} {millions:5.2f} M  {card['cpu_seconds']:5.0f} s  {card['about']}")
    for name in RECIPES:
        if name not in store.names():
            print(f"{name:22}   not trained yet: course zoo train {name}")
    return 0


def _train(args) -> int:
    recipes = [find(name) for name in (RECIPES if args.names == ["all"] else args.names)]
    began = time.monotonic()
    if args.jobs > 1:
        side_by_side(recipes, args.device, args.jobs)
    else:
        for place, recipe in enumerate(recipes):
            print(f"{recipe.name} ({place + 1} of {len(recipes)})", file=sys.stderr)
            train(recipe, args.device)
    cards = [store.card(recipe.name) for recipe in recipes]
    if args.json:
        print(json.dumps({"models": cards}, ensure_ascii=False))
    else:
        print("\n".join(map(_in_words, cards)))
        print(f"{len(cards)} trained in {time.monotonic() - began:.0f} s")
    return 0


def side_by_side(recipes: list[Recipe], device: str, n_job: int) -> None:
    """Train the recipes in n_job processes, children after their parents. Raises CourseError when
    one fails, after those that run have ended."""
    waiting, running, failed = list(recipes), {}, {}
    with _pool(n_job) as pool, tqdm(total=len(recipes), unit="model", file=sys.stderr) as bar:
        while running or (waiting and not failed):
            unmade = {recipe.name for recipe in waiting} | set(running.values())
            free = [recipe for recipe in waiting if recipe.parent not in unmade]
            for recipe in free[: 0 if failed else n_job - len(running)]:
                waiting.remove(recipe)
                running[pool.submit(_train_one, recipe.name, device)] = recipe.name
            bar.set_postfix_str(", ".join(running.values()))
            for done in wait(running, timeout=1, return_when=FIRST_COMPLETED).done:
                name, error = running.pop(done), done.exception()
                bar.update()
                if error:
                    failed[name] = error
    if failed:
        reasons = "; ".join(f"{name}: {error}" for name, error in failed.items())
        raise CourseError(f"training failed: {reasons}")


def _pool(n_job: int) -> Executor:
    # Not forked: torch's threads do not survive that.
    return ProcessPoolExecutor(n_job, mp_context=multiprocessing.get_context("spawn"))


def _train_one(name: str, device: str) -> None:
    train(find(name), device, progress=False)


def _verify(args) -> int:
    found, began = [], time.monotonic()
    for name in args.names or store.names():
        metrics = measured(find(name))
        wrong = {
            metric: row
            for metric, row in metrics.items()
            if abs(row["card"] - row["measured"]) > row["tolerance"]
        }
        found.append({"name": name, "ok": not wrong, "metrics": metrics})
        if not args.json:
            print(f"{'✓' if not wrong else '✗'} {name}: {len(metrics)} metrics")
            for metric, row in wrong.items():
                print(f"    {metric}: the card says {row['card']}, measured {row['measured']:.4f}")
    if args.json:
        print(json.dumps({"models": found}))
    else:
        good = sum(model["ok"] for model in found)
        print(f"{good} of {len(found)} as their cards say, in {time.monotonic() - began:.0f} s")
    return 0 if all(model["ok"] for model in found) else 1


def _card(args) -> int:
    card = store.card(args.name)
    print(json.dumps(card, indent=1, ensure_ascii=False) if args.json else _in_words(card))
    return 0


def _in_words(card: dict) -> str:
    lines = [f"{card['name']}: {card['about']}"]
    lines += [
        f"  {name:28} {value}"
        for name, value in card.items()
        if name not in ("name", "about", "metrics", "config") and value is not None
    ]
    lines += [f"  {'· ' + name:28} {row['value']}" for name, row in card["metrics"].items()]
    return "\n".join(lines)

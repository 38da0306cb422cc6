"""The numbers and comparisons that this lesson's prose mentions."""

from course_utils.worlds import sentences
from course_utils.worlds.tinyworld import tinyworld
from course_utils.zoo import edit_runs, editor, store


def mean(method: str, group: str) -> float:
    rows = edit_runs.kept(method)
    return sum(row[group][0] for row in rows) / len(rows)


def test_people_and_facts():
    assert len(tinyworld(0).people) == 120 and 120 * len(sentences.ATTRIBUTES) == 600


def test_size_of_the_matrix_and_number_of_training_edits():
    config = store.load("world-editor").config
    assert 10_000 < config.d_in * config.d_out < 100_000
    assert 10_000 < editor.N_EDIT * editor.N_STEP < 50_000


def test_fine_tuning_drags_namesakes_along_and_the_identity_moves_more():
    for group in ("namesakes", "others"):
        assert mean("fine-tuning", group) < mean("rank one", group)
        assert mean("rank one, identity", group) < mean("rank one", group)


def test_one_matrix_is_gentler_than_all():
    for group in ("namesakes", "same person"):
        assert mean("fine-tuning, one matrix", group) > mean("fine-tuning", group) + 0.2


def test_the_identity_edits_in_a_shorter_way_and_disturbs_namesakes_more():
    for plain, least in zip(
        edit_runs.kept("rank one"), edit_runs.kept("rank one, identity"), strict=True
    ):
        assert least["change"][0] < plain["change"][0]
        assert least["namesakes"][0] < plain["namesakes"][0]


def test_where_the_trace_is_bright_every_wording_follows_and_elsewhere_the_prompt_more():
    runs = edit_runs.kept("layers")
    for place in ("last token", "name"):
        for layer in range(len(runs[0][place])):
            at = {g: sum(run[place][layer][g] for run in runs) / 3 for g in runs[0][place][layer]}
            bright = at["trace"] > 0.04
            assert bright == (at["paraphrase"] > 0.9), (place, layer)
            assert bright or at["edited"] > at["paraphrase"] or at["edited"] < 0.05


def test_chinese_follows_less_than_english():
    for method in ("rank one", "rank one, identity", "fine-tuning"):
        assert mean(method, "chinese") < mean(method, "statement")


def test_the_trace_points_to_a_late_layer():
    for run in edit_runs.kept("layers"):
        late, early = run["last token"][run["traced layer"]], run["name"][0]
        assert run["traced layer"] >= 4 and late["edited"] >= 0.9
        assert early["same person"] < late["same person"]


def test_longer_fine_tuning_moves_more_beside_it():
    for steps in edit_runs.kept("frontier"):
        assert steps[-1]["namesakes"] < steps[0]["namesakes"]

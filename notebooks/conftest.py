"""nbval runs the committed notebooks as a learner first meets them, exercises unsolved. One more
cell, at the end of each, moves every control and asks what the lesson has taken."""

from nbval.plugin import IPyNbCell

from course_utils.lesson import audit


def pytest_collection_modifyitems(items):
    ends = {item.parent: item for item in items if isinstance(item, IPyNbCell)}
    for book, end in ends.items():
        options = dict.fromkeys(("check", "check_exception", "skip"), False)
        probe = IPyNbCell.from_parent(
            book, name="probe", cell_num=end.cell_num + 1, cell=audit.probe(), options=options
        )
        items.insert(items.index(end) + 1, probe)

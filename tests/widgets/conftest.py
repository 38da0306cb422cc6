"""What the tests of panels share."""

import pytest

from course_utils.widgets import panel


@pytest.fixture(autouse=True)
def no_panel_of_another_test():
    """Whoever drives all living panels drives only this test's: an older one may wait for the
    garbage collector."""
    panel._ALIVE.clear()

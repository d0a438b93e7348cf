"""One hostile run for all that is checked of its report."""

from collections.abc import Iterator

import pytest
from tests.support.hostile_run import Run, hostile_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The run and its report."""
    made = hostile_run(tmp_path_factory.mktemp("report"))
    yield made
    made.workspace.close()

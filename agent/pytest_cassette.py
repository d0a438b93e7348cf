"""The pytest plugin `crowquill_cassette`: a recording per test, played when it is there and made when it is not.

    def test_it(crowquill_cassette):
        answer = Agent(model="openai:gpt-5-mini", cassette=crowquill_cassette).ask("…")

Recordings lie in `cassettes/` beside the test file. `--crowquill-record none` refuses to make one (for CI), `all`
makes all anew.
"""

import re
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says whether recordings are made."""
    parser.getgroup("crowquill").addoption(
        "--crowquill-record",
        choices=["once", "none", "all"],
        default="once",
        help="record Crowquill's cassettes: once (those that are missing), none, or all of them anew",
    )


@pytest.fixture
def crowquill_cassette(request: pytest.FixtureRequest) -> Path:
    """The path of this test's recording."""
    module = Path(str(request.path))
    name = re.sub(r"[^\w.-]+", "_", request.node.name)
    path = module.parent / "cassettes" / module.stem / f"{name}.jsonl"
    mode = request.config.getoption("--crowquill-record")
    if mode == "all":
        path.unlink(missing_ok=True)
    if mode == "none" and not path.exists():
        pytest.fail(f"there is no recording {path}; make it with: pytest --crowquill-record once", pytrace=False)
    return path

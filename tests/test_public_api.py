"""The public names, and what importing them costs."""

import subprocess
import sys

import crowquill


def test_all_is_sorted_and_every_name_loads() -> None:
    assert list(crowquill.__all__) == sorted(crowquill.__all__)
    for name in crowquill.__all__:
        assert getattr(crowquill, name) is not None
        assert name in dir(crowquill)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(crowquill, "Magic")


def test_starting_loads_nothing_heavy() -> None:
    heavy = (
        "chromadb",
        "openai",
        "numpy",
        "langchain",
        "sympy",
        "sqlalchemy",
        "tantivy",
        "selectolax",
        "httpx",
        "ddgs",
    )
    code = f"import sys, crowquill.agent.cli.ask; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

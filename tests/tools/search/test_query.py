"""What a query holds beside its words, and when two addresses are of one page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowquill.tools.search.query import Query
from crowquill.tools.search.urls import canonical_url, is_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("crows and gifts", Query("crows and gifts")),
        ("crows site:www.A.example", Query("crows", site=("a.example",))),
        (
            "site:a.example crows site:b.example/docs -site:c.example",
            Query("crows", site=("a.example", "b.example/docs"), exclude=("c.example",)),
        ),
        ("crows after:2024 before:2024-02", Query("crows", after="2024-01-01", before="2024-02-29")),
        ("crows after:2024-05-06", Query("crows", after="2024-05-06")),
        ("crows time:Week lang:DE region:at", Query("crows", time="week", lang="de", region="at")),
        ("crows time:day time:year", Query("crows", time="year")),
        ("at time:5 pm after:lunch lang:english", Query("at time:5 pm after:lunch lang:english")),
        ("crows after:2024-13-01", Query("crows after:2024-13-01")),
        ("a:site:b.example Crows -site:", Query("a:site:b.example Crows -site:")),
        ("site:a.example", Query("", site=("a.example",))),
    ],
)
def test_filters_are_taken_out_and_what_only_looks_like_one_stays(text: str, expected: Query) -> None:
    assert Query.parse(text) == expected


PIECES = ["site:", "-site:", "a.b", "after:", "2024-02-30", "0000", "time:day", " ", "x", "(", "\0"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join))
def test_any_text_is_a_query(text: str) -> None:
    query = Query.parse(text)
    assert query.request()["query"] == query.words
    assert set(query.words) <= set(text) | {" "}


def test_sites_as_operators() -> None:
    query = Query("x", site=("a.example", "b.example"), exclude=("c.example",))
    assert query.with_sites() == "x (site:a.example OR site:b.example) -site:c.example"
    assert Query("x", site=("a.example",)).with_sites() == "x site:a.example"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("http://www.a.example/x/", "https://A.example/x#part"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("https://a.example/x?b=1&a=2&utm_source=z&fbclid=q", "https://a.example/x?a=2&b=1"),
        ("https://en.m.wikipedia.org/wiki/Crow", "https://en.wikipedia.org/wiki/Crow"),
        ("https://m.a.example/x", "https://a.example/x"),
    ],
)
def test_addresses_of_one_page(left: str, right: str) -> None:
    assert canonical_url(left) == canonical_url(right) != ""


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("https://a.example/x", "https://a.example/X"),
        ("https://a.example/x?id=1", "https://a.example/x?id=2"),
        ("https://a.example:8080/x", "https://a.example/x"),
        ("https://m.example/x", "https://example/x"),
        ("https://a.example/x?q=", "https://a.example/x"),
    ],
)
def test_addresses_of_two_pages(left: str, right: str) -> None:
    assert canonical_url(left) != canonical_url(right)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://[x", "/relative", "", "https://", "http://b.example:x/"]
)
def test_what_is_no_address(url: str) -> None:
    assert canonical_url(url) == ""
    assert not is_of(url, ["a.example"])


def test_sites_have_subdomains_and_paths() -> None:
    assert is_of("https://docs.a.example/x", ["a.example"])
    assert is_of("https://a.example/docs/x", ["b.example", "a.example/docs"])
    assert not is_of("https://nota.example/", ["a.example"])
    assert not is_of("https://a.example/blog", ["a.example/docs"])

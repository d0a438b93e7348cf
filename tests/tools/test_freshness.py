"""How long a response may be used again."""

from datetime import UTC, datetime

import pytest

from crowquill.tools.freshness import LONGEST, UNSAID, lifetime, moment, wait_asked

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EARLIER, LATER = "Sun, 01 Mar 2026 11:00:00 GMT", "Sun, 01 Mar 2026 12:30:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, UNSAID),
        ({"cache-control": "no-store"}, None),
        ({"cache-control": "private, No-Store, max-age=60"}, None),
        ({"cache-control": "max-age=60"}, 60.0),
        ({"cache-control": "public, max-age=60", "age": "50"}, 10.0),
        ({"cache-control": "max-age=60", "age": "90"}, 0.0),
        ({"cache-control": 'max-age="60"'}, 60.0),
        ({"cache-control": "max-age=60, no-cache"}, 0.0),
        ({"cache-control": 'no-cache="set-cookie"'}, 0.0),
        ({"cache-control": "s-maxage=60"}, UNSAID),
        ({"cache-control": "max-age=soon"}, 0.0),
        ({"cache-control": "max-age=-5"}, 0.0),
        ({"cache-control": "max-age=99999999"}, LONGEST),
        ({"cache-control": "max-age=60", "expires": EARLIER}, 60.0),
        ({"expires": LATER}, 1800.0),
        ({"expires": LATER, "date": "Sun, 01 Mar 2026 12:29:00 GMT"}, 60.0),
        ({"expires": EARLIER}, 0.0),
        ({"expires": "0"}, 0.0),
        ({"last-modified": EARLIER}, 360.0),
        ({"last-modified": "Mon, 01 Mar 2021 11:00:00 GMT"}, 86400.0),
        ({"last-modified": LATER}, 0.0),
        ({"last-modified": "yesterday"}, UNSAID),
        ({"pragma": "no-cache"}, 0.0),
        ({"cache-control": "max-age=60", "vary": "*"}, 0.0),
        ({"cache-control": "max-age=60", "vary": "Accept-Encoding"}, 60.0),
        ({"cache-control": "=,;\x00" * 1000}, UNSAID),
    ],
)
def test_what_is_said_of_freshness(headers: dict[str, str], expected: float | None) -> None:
    assert lifetime(200, headers, NOW) == expected


def test_redirects_that_pass_are_kept_only_with_a_time() -> None:
    assert lifetime(301, {}, NOW) == lifetime(308, {}, NOW) == UNSAID
    assert lifetime(302, {}, NOW) is lifetime(307, {}, NOW) is None
    assert lifetime(302, {"cache-control": "max-age=5"}, NOW) == 5.0


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("30", 30.0),
        ("0", 0.0),
        ("999999999999999", 86400.0),
        (LATER, 1800.0),
        (EARLIER, 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_what_is_asked_to_wait(said: str, expected: float | None) -> None:
    assert wait_asked({"retry-after": said}, NOW) == expected
    assert wait_asked({}, NOW) is None


@pytest.mark.parametrize("text", ["", "0", "Mon, 99 Foo 20", "Sun, 01 Mar 99999 12:00:00 GMT", "\x00"])
def test_what_is_no_date(text: str) -> None:
    assert moment(text) is None

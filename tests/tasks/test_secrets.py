"""15 ways to write a reference to the environment, of which one is one."""

import pytest

from crowquill.errors import UserError
from crowquill.tasks.secrets import database_address

ENVIRONMENT = {
    "SHOP_DATABASE_URL": "postgresql://reader:pw@db/shop",
    "HOME": "/root",
    "OPENAI_API_KEY": "sk-secret",
    "X": "y",
    "SHOP_DATABASE_URLS": "no",
}


def test_the_declared_one_is_read() -> None:
    assert database_address("${env:SHOP_DATABASE_URL}", ENVIRONMENT) == "postgresql://reader:pw@db/shop"
    assert database_address("shop=${env:SHOP_DATABASE_URL}", ENVIRONMENT) == "shop=postgresql://reader:pw@db/shop"


@pytest.mark.parametrize(
    "text",
    [
        *("$HOME", "${HOME}", "${X:-y}", "${X}", "%HOME%", "~", "$(id)", "`id`", "{{env.HOME}}", "{HOME}"),
        *("postgresql://${env:X}@db/shop", "${env:${env:X}}", "${env:SHOP_DATABASE_URL}/other", "env:HOME"),
        " ${env:SHOP_DATABASE_URL}",
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert database_address(text, ENVIRONMENT) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${env:OPENAI_API_KEY}", "only variables called DATABASE_URL"),
        ("${env:HOME}", "only variables called DATABASE_URL"),
        ("${env:SHOP_DATABASE_URLS}", "only variables called DATABASE_URL"),
        ("${env:OTHER_DATABASE_URL}", "OTHER_DATABASE_URL is not set"),
    ],
)
def test_a_name_that_is_not_allowed_or_not_set_is_an_error(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        database_address(text, ENVIRONMENT)
    assert message in str(caught.value)
    assert "sk-secret" not in str(caught.value)

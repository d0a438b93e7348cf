"""Profiles: who the agent is, in YAML."""

from pathlib import Path

import pytest

from crowquill.errors import UserError
from crowquill.tasks.profile import Profile, load_profile

FULL = """\
name: Press desk
style: short sentences,
  figures first
rules: [Prefer primary sources, "Say who said it"]
instructions: |
  You answer journalists.
knowledge: pages
tools: [search, open, quote]
"""


def test_a_profile_is_read_and_its_folder_lies_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "press.yaml"
    file.write_text(FULL)
    profile = load_profile(file)
    assert profile.knowledge == str(tmp_path / "pages")
    assert profile.tools == ("search", "open", "quote")
    assert profile.corpus == "knowledge-press-desk"
    assert profile.persona.splitlines()[1:] == [
        "Style: short sentences, figures first",
        "- Prefer primary sources",
        "- Say who said it",
        "You answer journalists.",
    ]
    assert "never what counts as evidence" in profile.persona


def test_a_profile_that_says_nothing_has_no_persona() -> None:
    assert Profile(name="Plain").persona == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("style: short\n", "'name' is missing"),
        ("name: A\nstile: x\n", "x.yaml:2:1: unknown key 'stile'; did you mean 'style'?"),
        ('name: "a/../b"\n', "x.yaml:1:1: name"),
        ("- a\n", "has to be a mapping"),
        ("name: &a A\n", "anchors and aliases"),
    ],
)
def test_bad_profiles_are_refused_with_their_place(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        load_profile(file)
    assert message in str(caught.value)

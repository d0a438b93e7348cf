"""The keys of `crowquill browse` in a terminal: one key acts at once while nothing has been typed."""

from collections.abc import Awaitable, Callable

Ask = Callable[[], Awaitable[str | None]]
"""Returns the next command, None when there are no more."""

HELP = """\
space, Enter, d   next window           u   window before        t   top of the page
12                open result or link   b   back                 #id place on this page
/text             find (/text/~ also without its accents)        n   next match
g 40, g p7, g #id go to a line, page or place                    o   outline
q 3-4, q "text"   quote lines, or a text word for word           a   all, also around the main part
s words           search                f words  send by the page's form
https://…         open a page           ?   help                 x   end (also q, Ctrl-D)"""
_HINT = "space next · 12 open · /find · b back · q 3-4 quote · o outline · ? help · x end"
_AT_ONCE = "dutbnoa?x"


def terminal_prompt() -> Ask:
    """Return a prompt with keys and history."""
    from prompt_toolkit import PromptSession  # 0.14 s, and only a terminal needs it
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    session: PromptSession[str] = PromptSession(bottom_toolbar=_HINT)
    keys = KeyBindings()
    is_empty = Condition(lambda: not session.default_buffer.text)

    def acts(key: str, command: str) -> None:
        @keys.add(key, filter=is_empty)
        def press(event: KeyPressEvent) -> None:
            event.app.exit(result=command)

    for key in _AT_ONCE:
        acts(key, key)
    acts(" ", "d")

    async def ask() -> str | None:
        try:
            return await session.prompt_async("> ", key_bindings=keys)
        except (EOFError, KeyboardInterrupt):
            return None

    return ask

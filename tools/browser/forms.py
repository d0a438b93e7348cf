"""Using the forms of a page: a GET search form becomes the address that a browser would open."""

from urllib.parse import urlencode, urlsplit, urlunsplit

from crowquill.errors import ToolRetry
from crowquill.memory.snapshot import Field, Form, Snapshot


def usable(snapshot: Snapshot) -> list[Form]:
    """Return the forms that can be used: those that send one text by GET."""
    return [form for form in snapshot.forms if form.method == "get" and _typed(form)]


def filled(snapshot: Snapshot, text: str, number: int) -> str:
    """Return the URL that a form leads to with `text` in its first field; 0 is the first form that can be used.

    Raises:
        ToolRetry: there is no such form, or it cannot be used.
    """
    forms = usable(snapshot)
    if not forms:
        raise ToolRetry("this page has no form that can be used")
    form = forms[0] if number == 0 else next((form for form in forms if form.number == number), None)
    if form is None:
        known = ", ".join(str(form.number) for form in forms)
        raise ToolRetry(f"form {number} cannot be used; usable: {known}")
    field = _typed(form)
    pairs = [(other.name, text if other is field else other.value) for other in form.fields]
    parts = urlsplit(form.url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(pairs), ""))


def _typed(form: Form) -> Field | None:
    """Return the field that is typed into: one that looks like a search, or the first."""
    typed = [field for field in form.fields if field.label]
    likely = (field for field in typed if field.name.lower() in ("q", "query", "search", "s", "p", "term", "text"))
    return next(likely, typed[0] if typed else None)

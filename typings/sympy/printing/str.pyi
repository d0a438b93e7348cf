# SymPy's own annotations are partial and contradict what its functions return; here everything of it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...

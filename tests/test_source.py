"""What our source must not hold: ways to run what was read, to listen to the network, to trust a server less."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("agent", "memory", "tasks", "tools", "src")
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {"system", "popen", "execv", "execve", "spawnv", "sympify", "parse_expr", "parse_latex", "lambdify"}
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "pty", "telnetlib", "xmlrpc", "yaml"}  # PyYAML
LISTENS = {"start_server", "create_server", "HTTPServer", "ThreadingHTTPServer", "listen"}
LOOSE = {"tempfile.mktemp", "os.umask", "jinja2.Template"}
HARMLESS = {"platform.system"}


def files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) if not path.is_symlink()]


def named(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def problems(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + (
                [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            )
            found += [f"{node.lineno}: import {name}" for name in names if name.partition(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        name = named(node.func)
        last = name.rpartition(".")[2]
        if name in HARMLESS:
            continue
        if name in CALLS or name in LOOSE or (last in METHODS and "." in name) or last in LISTENS:
            found.append(f"{node.lineno}: {name}")
        if any(word.arg == "shell" and getattr(word.value, "value", None) is not False for word in node.keywords):
            found.append(f"{node.lineno}: {name}(shell=…)")
        if any(word.arg == "verify" and getattr(word.value, "value", True) is False for word in node.keywords):
            found.append(f"{node.lineno}: {name}(verify=False)")
    return found


def test_nothing_runs_what_was_read_and_nothing_listens() -> None:
    found = {str(path.relative_to(ROOT)): problems(ast.parse(path.read_text("utf-8"))) for path in files()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        *("eval('1')", "import pickle", "from pickle import loads", "os.system('x')", "run('x', shell=True)"),
        *("server.listen(1)", "import yaml", "sympy.sympify(x)", "get(url, verify=False)", "tempfile.mktemp()"),
    ],
)
def test_the_look_would_see_it(code: str) -> None:
    assert problems(ast.parse(code))

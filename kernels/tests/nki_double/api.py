"""Checks that NKI source parses and uses names of NKI's API alone, each call with arguments that it has.

The list is `api.json`: of every function its arguments and how many of them are required.
"""

import ast
import json
import pathlib

LIST = json.loads((pathlib.Path(__file__).parent / "api.json").read_text())
ALIASES = {"nl": "nki.language", "nisa": "nki.isa"}
PYTHON = {"float", "len", "max", "min", "range"}
VIEWS = {"ap", "append", "broadcast", "shape"}


class NotOfTheApi(Exception):
    """The source uses what NKI does not have."""


def dotted(node):
    """`module.a.b` of an attribute as ("module", "a.b"); none of other expressions."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, ".".join(reversed(parts))) if isinstance(node, ast.Name) and parts else None


def check_call(node, defined):
    if isinstance(node.func, ast.Name):
        if node.func.id not in PYTHON | defined:
            raise NotOfTheApi(f"line {node.lineno}: calls `{node.func.id}`")
        return
    module, name = dotted(node.func) or (None, node.func.attr)
    if module not in ALIASES:
        if name.rsplit(".", 1)[-1] not in VIEWS:
            raise NotOfTheApi(f"line {node.lineno}: calls the method `{name}`")
        return
    entry = LIST[ALIASES[module]].get(name)
    if not isinstance(entry, list):
        raise NotOfTheApi(f"line {node.lineno}: `{module}.{name}` is no function")
    arguments, required = entry[0].split(), entry[1]
    given = arguments[: len(node.args)] + [keyword.arg for keyword in node.keywords]
    unknown = set(given) - set(arguments)
    missing = set(arguments[:required]) - set(given)
    if unknown or missing or len(node.args) > len(arguments) or len(given) != len(set(given)):
        raise NotOfTheApi(f"line {node.lineno}: `{module}.{name}`: unknown {sorted(unknown)}, missing {sorted(missing)}")


def check(source):
    """Raises NotOfTheApi, or SyntaxError."""
    tree = ast.parse(source)
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            check_call(node, defined)
        elif isinstance(node, ast.Attribute):
            module, name = dotted(node) or (None, "")
            # The prefixes of a longer name are walked too.
            known = [entry for entry in LIST.get(ALIASES.get(module), {}) if f"{entry}.".startswith(f"{name}.")]
            if module in ALIASES and not known:
                raise NotOfTheApi(f"line {node.lineno}: `{module}.{name}` is not in the list")
        elif isinstance(node, ast.FunctionDef):
            if node.args.vararg or node.args.kwarg or node.args.kwonlyargs:
                raise NotOfTheApi(f"line {node.lineno}: a `*` in a signature")

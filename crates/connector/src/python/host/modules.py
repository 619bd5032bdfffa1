"""Which code of the workspace a connector runs as modules: what it has loaded, and what it would import later."""

import ast
import collections
import importlib.machinery
import os
import sys

# The name under which a connector's file is run.
CONNECTOR_MODULE = "bowline_connector"

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def outside(path, here, places, known):
    """Files below a folder that the connector runs as modules although they are not installed.

    `places` and `known` are where modules were looked for and those that were there before the connector was loaded.
    """
    installed = [os.path.realpath(place) for place in places if place]
    loaded = {file_of(sys.modules.get(name)) for name in set(sys.modules) - known - {CONNECTOR_MODULE}}
    ahead = [os.path.realpath(file) for file in loaded if file]
    # A method may put these on the path before it imports something.
    ahead.extend(imported(path, [os.path.dirname(path), here]))
    found = set()
    while ahead:
        file = ahead.pop()
        is_ours = is_below(file, here) and not any(is_below(file, place) for place in installed)
        if is_ours and file not in found:
            found.add(file)
            ahead.extend(imported(file, []))
    return sorted(os.path.relpath(file, here).replace(os.sep, "/") for file in found)


def file_of(module):
    """The file that a module says it is from, without running what a lazy one would only run now."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:  # What stands under a module's name may be anything.
        return None
    return file if isinstance(file, str) and os.path.isabs(file) else None


def is_below(file, folder):
    """Whether a file lies in a folder or in one of its folders."""
    return file.startswith(os.path.join(folder, ""))


def imported(path, more):
    """The files that the imports in a file mean; what no place of the path has is looked for in more folders."""
    try:
        with open(path, "rb") as file:
            body = ast.parse(file.read()).body
    except (OSError, SyntaxError, ValueError, RecursionError):  # A module need not be Python's text.
        return
    for part in called(body) if more else body:
        for names, level, is_tried in imports(part):
            if level:
                # One dot is the folder that the file lies in, two are the one around it.
                folder = os.path.realpath(os.path.join(path, *[os.pardir] * level))
                yield from files(names, [folder])
            elif names[0] not in sys.builtin_module_names:
                yield from files(names, None) or files(names, [] if is_tried else more)


def files(names, folders):
    """The files of a module and the packages around it, as far as they are found."""
    found = []
    for name in names:
        try:
            spec = importlib.machinery.PathFinder.find_spec(name, folders) if name.isidentifier() else None
        except Exception:  # What looks for modules may be the connector's own.
            break
        if spec is None:
            break
        if spec.has_location and spec.origin:
            found.append(os.path.realpath(spec.origin))
        folders = spec.submodule_search_locations
        if folders is None:
            break
    return found


def called(body):
    """The statements of a module without functions that nothing else in it names, such as a `main` for people."""
    while True:
        named = [(part, mentioned(part)) for part in body if not is_for_others(part)]
        counts = collections.Counter(name for _, names in named for name in names)
        kept = [
            part
            for part, names in named
            if not isinstance(part, FUNCTIONS) or part.decorator_list or counts[part.name] > (part.name in names)
        ]
        if len(kept) == len(body):
            return body
        body = kept


def mentioned(part):
    """The names in a statement."""
    names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(part) if isinstance(node, ast.Attribute)}


def is_for_others(node):
    """Whether only a type checker, or somebody who runs the file, gets into an `if`."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    if isinstance(test, ast.Compare):
        return isinstance(test.left, ast.Name) and test.left.id == "__name__" and isinstance(test.ops[0], ast.Eq)
    return getattr(test, "id", getattr(test, "attr", None)) == "TYPE_CHECKING"


def imports(part):
    """The imports in a statement: the names of a module and those around it, the dots, and whether a failure is caught."""
    ahead = [(part, False)]
    while ahead:
        node, is_tried = ahead.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split("."), 0, is_tried
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield (node.module.split(".") if node.module else []) + [alias.name], node.level, is_tried
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name, function = node.args[0].value, node.func
            if getattr(function, "id", getattr(function, "attr", None)) in ("import_module", "__import__"):
                yield str(name).split("."), 0, is_tried
        is_tried = is_tried or isinstance(node, ast.Try) and bool(node.handlers)
        children = node.orelse if is_for_others(node) else ast.iter_child_nodes(node)
        ahead.extend((child, is_tried) for child in children)

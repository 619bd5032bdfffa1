"""Which code of the workspace a connector runs as modules: what it has loaded, and what it would import later."""

import ast
import collections
import importlib.machinery
import os
import sys
import time
import warnings

# The name under which a connector's file is run.
CONNECTOR_MODULE = "bowline_connector"

# What is read at every start for what would be imported later: seconds of the processor, files, and bytes of a file.
MOST_SECONDS = 0.2
MOST_FILES = 300
LARGEST_FILE = 256 * 1024

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def outside(path, here, places, known):
    """Files below a folder that the connector has as modules although they are not installed: what it has loaded, and what
    it would import later.

    `places` and `known` are where modules were looked for and those that were there before the connector was loaded.
    """
    installed = [os.path.realpath(place) for place in places if place]

    def is_ours(file):
        return is_below(file, here) and not any(is_below(file, place) for place in installed)

    files = {file_of(sys.modules.get(name)) for name in set(sys.modules) - known - {CONNECTOR_MODULE}}
    # `multiprocessing` gives the program that runs a second name, `__mp_main__`.
    files.discard(file_of(sys.modules.get("__main__")))
    loaded = {file for file in map(os.path.realpath, filter(None, files)) if is_ours(file)}
    later = reached(path, here, loaded, is_ours)
    return {"loaded": shown(loaded, here), "imported": shown(later - loaded, here)}


def shown(files, here):
    """Files by their paths from a folder."""
    return sorted(os.path.relpath(file, here).replace(os.sep, "/") for file in files)


def reached(path, here, loaded, is_ours):
    """The files that the connector's imports lead to; none where there are too many to read at every start."""
    end = time.process_time() + MOST_SECONDS
    found = set()
    # A method may put these on the path before it imports something.
    ahead = [*loaded, *imported(path, [os.path.dirname(path), here])]
    while ahead:
        file = ahead.pop()
        if is_ours(file) and file not in found:
            found.add(file)
            if len(found) > MOST_FILES or time.process_time() > end:
                return set()
            ahead.extend(imported(file, []))
    return found


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
            text = file.read(LARGEST_FILE + 1)
        if b"import" not in text or len(text) > LARGEST_FILE:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
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
    parts = [(part, mentioned(part)) for part in body if not is_for_others(part)]
    counts = collections.Counter(name for _, names in parts for name in names)
    functions = collections.defaultdict(list)
    for part, names in parts:
        if isinstance(part, FUNCTIONS) and not part.decorator_list:
            functions[part.name].append((part, names))
    ahead, left = list(functions), set()
    while ahead:
        name = ahead.pop()
        for part, names in functions[name]:
            # It may name itself.
            if part not in left and counts[name] <= (name in names):
                left.add(part)
                counts.subtract(names)
                ahead.extend(names & functions.keys())
    return [part for part, _ in parts if part not in left]


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
        names = {getattr(side, "id", None) for side in [test.left, *test.comparators]}
        return "__name__" in names and isinstance(test.ops[0], ast.Eq)
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

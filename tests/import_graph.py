"""Which modules of the library a script imports, directly or through others, wherever the import stands."""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "src" / "darkroom"


def imported_modules(script: Path, closed: Collection[str] = ()) -> set[str]:
    """Return the library's files behind `script`, relative to the root, without the empty __init__.py.

    What the rooms in `closed` import is not followed.
    """
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        new = direct_imports(waiting.pop()) - found
        found |= new
        waiting += [path for path in new if path.relative_to(LIBRARY).parts[0] not in closed]
    return {path.relative_to(ROOT).as_posix() for path in found if path.stat().st_size}


def _run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node below `node` that runs: not what stands there for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield child
            yield from _run_nodes(child)


def direct_imports(script: Path) -> set[Path]:
    """Return the library's files that a script imports itself, wherever the import stands."""
    names: set[str] = set()
    for node in _run_nodes(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = {LIBRARY.parent / Path(*name.split(".")) for name in names if name.split(".")[0] == "darkroom"}
    return {file for path in files for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()}

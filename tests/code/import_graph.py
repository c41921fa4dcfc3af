"""Which modules of the library a script imports, directly or through others, wherever the import stands."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "src" / "darkroom"


def imported_modules(script: Path) -> set[str]:
    """Return the library's files behind `script`, relative to the root, without the empty __init__.py."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        new = direct_imports(waiting.pop()) - found
        found |= new
        waiting += new
    return {path.relative_to(ROOT).as_posix() for path in found if path.stat().st_size}


def beside(modules: set[str]) -> set[str]:
    """Return what lies in the folders of `modules` and is no module, like the template of a page."""
    folders = {(ROOT / module).parent for module in modules}
    files = {file for folder in folders for file in folder.iterdir() if file.is_file() and file.suffix != ".py"}
    return {file.relative_to(ROOT).as_posix() for file in files}


def direct_imports(script: Path) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = {LIBRARY.parent / Path(*name.split(".")) for name in names if name.split(".")[0] == "darkroom"}
    return {file for path in files for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()}

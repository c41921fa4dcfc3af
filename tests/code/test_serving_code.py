import subprocess
import sys
from pathlib import Path

from import_graph import LIBRARY, direct_imports

from darkroom.package.bundle import PREDICTOR, SERVING_CODE, bundle_digest, copy_code, write_bundle
from darkroom.params.schema import ImageParams

LOOK = ImageParams(size=16, resize="squash", background="white")


def code_behind(script: Path) -> set[str]:
    """Return every module of the library that `script` needs, the packages on the way included, empty or not."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for module in direct_imports(waiting.pop()) - found:
            found.add(module)
            waiting.append(module)
    packages = {parent / "__init__.py" for file in found for parent in file.parents if parent.is_relative_to(LIBRARY)}
    return {path.relative_to(LIBRARY).as_posix() for path in found | packages}


def test_the_bundle_holds_what_the_predictor_imports():
    assert set(SERVING_CODE) == code_behind(PREDICTOR)
    assert len(SERVING_CODE) == len(set(SERVING_CODE))


def test_the_copied_code_works_alone(tmp_path):
    copied = copy_code(tmp_path)
    assert {path.relative_to(copied).as_posix() for path in copied.rglob("*.py")} == set(SERVING_CODE)
    code = "import darkroom.images.decode, darkroom.package.requests, darkroom.execution.quiet as q; print(q.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(copied / "execution" / "quiet.py"), done.stderr


def test_the_digest_follows_network_classes_and_size(tmp_path):
    model = tmp_path / "model.keras"
    model.write_bytes(b"weights")
    reports = {"train": {"classes": ["cat", "dog"]}}
    write_bundle(tmp_path / "first", model, reports, LOOK)
    write_bundle(tmp_path / "again", model, reports, LOOK)
    write_bundle(tmp_path / "larger", model, reports, LOOK.model_copy(update={"size": 32}))
    write_bundle(tmp_path / "turned", model, {"train": {"classes": ["dog", "cat"]}}, LOOK)
    model.write_bytes(b"other weights")
    write_bundle(tmp_path / "other", model, reports, LOOK)
    digests = [bundle_digest(tmp_path / name) for name in ("first", "again", "larger", "turned", "other")]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4

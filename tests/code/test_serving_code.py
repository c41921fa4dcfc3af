from pathlib import Path

import numpy as np
import pytest

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import write_decision
from darkroom.package import bundle
from darkroom.package.bundle import PREDICTOR, bundle_digest, serving_code, write_bundle, write_code
from darkroom.params.schema import Params
from defaults import default_params
from import_graph import LIBRARY, direct_imports


def code_behind(script: Path) -> set[str]:
    """Return every module of the library that `script` needs, without the empty __init__.py."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for module in direct_imports(waiting.pop()) - found:
            found.add(module)
            waiting.append(module)
    return {path.relative_to(LIBRARY).as_posix() for path in found if path.stat().st_size}


@pytest.fixture
def params() -> Params:
    return default_params()


def digest_of(folder: Path, params: Params, classes: tuple[str, ...] = ("cat", "dog")) -> str:
    model = folder.with_suffix(".keras")
    if not model.exists():
        model.write_bytes(b"weights")
    decision = folder.with_suffix(".decision")
    if not decision.exists():
        write_decision(decision, Rule(1.5, 0.9, 0.2), Familiarity(np.eye(2, dtype=np.float32), 1, 0.5))
    package = params.package.model_copy(update={"runtime": "keras"})
    write_bundle(folder, model, decision, classes, params.image, package, lambda: np.zeros((0, 16, 16, 3), np.uint8))
    assert (folder / "digest").read_text() == bundle_digest(folder) + "\n"
    return bundle_digest(folder)


def test_the_predictor_needs_nothing_of_the_library() -> None:
    assert direct_imports(PREDICTOR) == set()


def test_the_bundle_holds_the_code_that_answers() -> None:
    served = serving_code(LIBRARY).keys()
    assert set(served) == code_behind(LIBRARY / "package" / "answers.py") | {"package/answers.py"}
    assert {Path(module).parts[0] for module in served} == {"decision", "graphs", "images", "models", "package"}


def test_the_code_has_a_name_of_its_own_and_imports_by_it(tmp_path: Path) -> None:
    package = write_code(tmp_path / "first", LIBRARY)
    assert package.name == write_code(tmp_path / "again", LIBRARY).name
    assert {path.relative_to(package).as_posix() for path in package.rglob("*.py")} == serving_code(LIBRARY).keys()
    texts = [path.read_text() for path in package.rglob("*.py")]
    assert not any("from darkroom." in text or "import darkroom" in text for text in texts)
    assert any(f"from {package.name}.images.decode import" in text for text in texts)


def test_the_digest_follows_network_classes_and_parameters(tmp_path: Path, params: Params) -> None:
    larger = params.model_copy(update={"image": params.image.model_copy(update={"size": 32})})
    limits = params.package.limits.model_copy(update={"rows": 1})
    bounded = params.model_copy(update={"package": params.package.model_copy(update={"limits": limits})})
    (tmp_path / "other.keras").write_bytes(b"other weights")
    digests = [
        digest_of(tmp_path / "first", params),
        digest_of(tmp_path / "larger", larger),
        digest_of(tmp_path / "bounded", bounded),
        digest_of(tmp_path / "turned", params, ("dog", "cat")),
        digest_of(tmp_path / "other", params),
    ]
    assert len(set(digests)) == 5
    assert digest_of(tmp_path / "again", params) == digests[0]


def test_the_digest_follows_the_versions_of_the_libraries(
    tmp_path: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest_of(tmp_path / "before", params)
    monkeypatch.setattr(bundle, "version", lambda _: "0.1")
    assert digest_of(tmp_path / "after", params) != before


def test_the_digest_follows_the_code(tmp_path: Path, params: Params) -> None:
    before = digest_of(tmp_path / "before", params)
    for module, text in serving_code(LIBRARY).items():
        (tmp_path / "library" / module).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "library" / module).write_text(text + "\n# changed\n")
    folder = tmp_path / "before" / "code"
    (old,) = folder.iterdir()
    assert write_code(folder, tmp_path / "library") != old
    assert bundle_digest(tmp_path / "before") != before

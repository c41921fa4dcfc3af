"""The container's files against each other and the project's: lock, Dockerfile, Kubernetes manifest."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from darkroom.graphs import session
from import_graph import ROOT
from rootfs import instructions

FOLDER = ROOT / "container"
LOCKED = re.compile(r"^([\w.-]+)==(\S+)(?: ; (.+?))? \\$", flags=re.MULTILINE)
IMAGE = (FOLDER / "requirements.txt").read_text(encoding="utf-8")
STEPS = instructions((FOLDER / "Dockerfile").read_text(encoding="utf-8"))
MANIFEST: dict[str, dict[str, Any]] = {
    part["kind"]: part for part in yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text(encoding="utf-8"))
}
POD: dict[str, Any] = MANIFEST["Deployment"]["spec"]["template"]


def step(name: str) -> str:
    """Return the arguments of the last instruction of a name."""
    return [rest for given, rest in STEPS if given == name][-1]


def locked() -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = LOCKED.findall(IMAGE)
    return found


def test_the_image_holds_the_versions_that_the_project_is_tested_with() -> None:
    project = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    there = {name: {found[1] for found in LOCKED.findall(project) if found[0] == name} for name, *_ in locked()}
    assert all(version in there[name] for name, version, _ in locked())


def test_the_image_s_lock_has_hashes_and_all_that_the_group_serve_names() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    names = [name for name, *_ in locked()]
    assert {re.split(r"[\[>=]", wanted)[0] for wanted in groups["serve"]} <= set(names)
    entries = re.split(r"^(?=\w)", IMAGE, flags=re.MULTILINE)[1:]
    assert len(entries) == len(names) and all(" --hash=sha256:" in entry for entry in entries)
    assert "://" not in IMAGE and not {"keras", "mlflow", "mlflow-skinny", "tensorflow"} & set(names)


def test_another_model_installs_nothing_anew() -> None:
    order = [f"{name} {rest}" for name, rest in STEPS]
    (install,) = (place for place, line in enumerate(order) if "pip install" in line)
    library, model = (next(i for i, line in enumerate(order) if part in line) for part in ("src/darkroom", "${MODEL}"))
    assert install < library < model


def test_what_the_image_copies_is_what_its_build_sees() -> None:
    seen = re.findall(r"^!(.+)$", (FOLDER / "Dockerfile.dockerignore").read_text(), flags=re.MULTILINE)
    copied = [re.sub(r"--\S+ ", "", rest).split()[0].replace("${MODEL}", "models") for _, rest in STEPS if _ == "COPY"]
    assert sorted(copied) == sorted(seen)


@pytest.mark.parametrize("kind", MANIFEST)
def test_the_manifest_follows_the_schema_of_kubernetes(kind: str) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(MANIFEST[kind], "1.31", strict=True)
    misspelt = {**MANIFEST[kind], "spec": {**MANIFEST[kind]["spec"], "selektor": {}}}
    with pytest.raises(kubernetes_validate.ValidationError, match="selektor"):
        kubernetes_validate.validate(misspelt, "1.31", strict=True)


def test_the_manifest_s_parts_mean_the_same_pods() -> None:
    labels = POD["metadata"]["labels"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert MANIFEST[kind]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert MANIFEST["Service"]["spec"]["selector"].items() <= labels.items()
    target = MANIFEST["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", MANIFEST["Deployment"]["metadata"]["name"])


def test_the_manifest_and_the_image_agree() -> None:
    (container,) = POD["spec"]["containers"]
    (port,) = container["ports"]
    user, group = map(int, step("USER").split(":"))
    secured = POD["spec"]["securityContext"]
    assert user != 0 and (secured["runAsUser"], secured["runAsGroup"]) == (user, group)
    assert str(port["containerPort"]) == step("EXPOSE") == json.loads(step("CMD"))[-1]
    for probe in ("startupProbe", "readinessProbe"):
        wanted = container[probe]["httpGet"]
        assert wanted["port"] == port["name"] == MANIFEST["Service"]["spec"]["ports"][0]["targetPort"]
        assert f":{port['containerPort']}{wanted['path']}'" in step("HEALTHCHECK")
    assert container["livenessProbe"]["tcpSocket"]["port"] == port["name"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", step("VOLUME")}


def test_a_pod_may_do_nothing_but_answer() -> None:
    (container,) = POD["spec"]["containers"]
    assert POD["spec"]["securityContext"]["runAsNonRoot"]
    assert not POD["spec"]["automountServiceAccountToken"]
    may = container["securityContext"]
    assert (
        may["readOnlyRootFilesystem"]
        and not may["allowPrivilegeEscalation"]
        and may["capabilities"] == {"drop": ["ALL"]}
    )
    assert {*container["resources"]["requests"], *container["resources"]["limits"]} == {"cpu", "memory"}


@pytest.mark.parametrize(("limit", "cores"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 64), ("", 64)])
def test_threads_are_as_many_as_the_cores_that_a_container_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(session, "QUOTA", tmp_path / "cpu.max")
    if limit:
        session.QUOTA.write_text(limit + "\n")
    assert session.cores.__wrapped__() == cores

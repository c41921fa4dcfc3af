"""The Ray cluster in Kubernetes: its manifest against schemas, its image, the lock, and what a pod may do."""

import re
from typing import Any

import pytest
import yaml

from import_graph import ROOT
from rootfs import instructions

FOLDER = ROOT / "container"
STEPS = instructions((FOLDER / "cluster.Dockerfile").read_text(encoding="utf-8"))
PARTS: dict[str, dict[str, Any]] = {
    part["kind"]: part for part in yaml.safe_load_all((FOLDER / "raycluster.yaml").read_text(encoding="utf-8"))
}
CLUSTER = PARTS["RayCluster"]["spec"]
HEAD: dict[str, Any] = CLUSTER["headGroupSpec"]
(WORKERS,) = CLUSTER["workerGroupSpecs"]
PODS = {"head": HEAD["template"], "worker": WORKERS["template"]}
# the fields of ray.io/v1 that the manifest uses, as KubeRay 1.5.1 knows them
FIELDS = {
    "rayVersion": str,
    "authOptions": dict,
    "headGroupSpec": {"rayStartParams": dict, "template": dict},
    "workerGroupSpecs": [
        {
            "groupName": str,
            "replicas": int,
            "minReplicas": int,
            "maxReplicas": int,
            "rayStartParams": dict,
            "template": dict,
        }
    ],
}


def shape(value: Any, like: Any) -> Any:
    """Return `value` with each leaf replaced by its type, as deep as `like` goes."""
    if isinstance(like, dict):
        return {key: shape(item, like.get(key)) for key, item in value.items()}
    return [shape(item, like[0]) for item in value] if isinstance(like, list) else type(value)


def test_the_cluster_has_the_fields_that_the_operator_knows() -> None:
    assert PARTS["RayCluster"]["apiVersion"] == "ray.io/v1"
    assert shape(CLUSTER, FIELDS) == FIELDS
    assert CLUSTER["authOptions"] == {"mode": "token"}
    for group in (HEAD, WORKERS):  # what `ray start` gets are texts
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
    assert WORKERS["minReplicas"] <= WORKERS["replicas"] <= WORKERS["maxReplicas"]


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "NetworkPolicy", *PODS])
def test_all_else_follows_the_schema_of_kubernetes(kind: str) -> None:
    import kubernetes_validate

    names = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": kind}}
    part = {**names, **PODS[kind]} if kind in PODS else PARTS[kind]
    kubernetes_validate.validate(part, "1.31", strict=True)
    with pytest.raises(kubernetes_validate.ValidationError, match="misspelt"):
        kubernetes_validate.validate({**part, "spec": {**part["spec"], "misspelt": {}}}, "1.31", strict=True)


def test_only_pods_of_the_cluster_reach_each_other() -> None:
    policy = PARTS["NetworkPolicy"]["spec"]
    (rule,) = policy["ingress"]
    (source,) = rule["from"]
    label = {"matchLabels": {"ray.io/cluster": PARTS["RayCluster"]["metadata"]["name"]}}
    assert policy["podSelector"] == source["podSelector"] == label and policy["policyTypes"] == ["Ingress"]


@pytest.mark.parametrize("kind", PODS)
def test_a_pod_has_no_rights_and_the_shared_workspace(kind: str) -> None:
    spec = PODS[kind]["spec"]
    (container,) = spec["containers"]
    user, group = map(int, STEPS[-2][1].split(":"))
    secured = spec["securityContext"]
    assert secured["runAsNonRoot"] and (secured["runAsUser"], secured["runAsGroup"]) == (user, group)
    assert not spec["automountServiceAccountToken"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["requests"] == container["resources"]["limits"]
    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in spec["volumes"]
        if "persistentVolumeClaim" in volume
    }
    (mounted,) = (mount for mount in container["volumeMounts"] if mount["name"] in claims)
    claim = PARTS["PersistentVolumeClaim"]
    assert claims[mounted["name"]] == claim["metadata"]["name"] and claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert mounted["mountPath"] == STEPS[-1][1] == "/workspace"


def test_all_pods_run_one_image_with_the_locked_ray() -> None:
    built = (FOLDER / "cluster.Dockerfile").read_text(encoding="utf-8")
    (image,) = {spec["spec"]["containers"][0]["image"] for spec in PODS.values()}
    assert f"--tag {image} ." in built
    locked = (ROOT / "requirements-ray.txt").read_text(encoding="utf-8")
    assert CLUSTER["rayVersion"] in re.findall(r"^ray==(\S+)", locked, flags=re.MULTILINE)


def test_the_image_is_built_from_both_locks_and_sees_nothing_else() -> None:
    (copied,) = (rest.split()[:-1] for name, rest in STEPS if name == "COPY")
    seen = (FOLDER / "cluster.Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^!(.+)$", seen, flags=re.MULTILINE)) == sorted(copied)
    (install,) = (rest for name, rest in STEPS if "pip install" in rest)
    assert "--require-hashes" in install and all(f"--requirement /srv/{name}" in install for name in copied)
    assert STEPS[-2][0] == "USER" and STEPS[-1][0] == "WORKDIR"

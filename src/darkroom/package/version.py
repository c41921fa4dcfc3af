"""The name of a served version in its answers."""

from pathlib import Path

DIGEST = "digest"  # the file of a bundle with the digest of all others
SHOWN = 12  # hex digits


def version_of(bundle: Path) -> str:
    """Return the number under which a bundle is registered, or the first digits of its digest where it is not known.

    MLflow writes name and number beside a model that it fetches from a registry; the bundle lies in its artifacts.
    """
    import yaml

    beside = bundle.parent.parent / "registered_model_meta"
    if beside.is_file():
        number = (yaml.safe_load(beside.read_text(encoding="utf-8")) or {}).get("model_version")
        if number is not None:
            return str(number)
    return (bundle / DIGEST).read_text(encoding="utf-8").strip()[:SHOWN]

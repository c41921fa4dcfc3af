"""Which stages run again after an edit in a folder of the library."""

ORDER = ["ingest", "validate", "dedupe", "split", "tune", "train", "evaluate", "package"]
RERUNS: dict[str, set[str]] = {
    "balance": {"dedupe", "split", "train"},
    "cli": set(),
    "core": set(ORDER),
    "curation": {"dedupe", "split"},
    "decision": {"evaluate", "package"},
    "dedupe": {"dedupe"},
    "evaluate": {"evaluate"},
    "examples": {"tune", "train", "evaluate"},
    "execution": set(),
    "experiments": set(),
    "images": set(ORDER) - {"validate"},
    "ingest": {"ingest"},
    "models": {"tune", "train", "evaluate", "package"},
    "package": {"package"},
    "pages": {"split"},
    "params": set(),
    "serving": set(),
    "split": {"split"},
    "tracking": {"package"},
    "train": {"tune", "train"},
    "tune": {"tune"},
    "validate": {"validate"},
}

"""Imported by the server of the processes that train: what each of them would take five seconds to import."""

from darkroom.execution.quiet import without_collections, without_native_messages


def _import_libraries() -> None:
    """Import TensorFlow, which writes to stderr whatever its log level is, and all that a training needs."""
    with without_native_messages(), without_collections():
        import sklearn.metrics

        import darkroom.train.callbacks

    assert darkroom.train.callbacks and sklearn.metrics


_import_libraries()

"""TensorFlow started the way that gives the same result each time."""

from typing import Any

from darkroom.quiet import without_collections, without_native_messages


def start_tensorflow(threads: int) -> Any:
    """Import TensorFlow, deterministic and on `threads` processor threads (they decide the last bits); return it."""
    with without_native_messages(), without_collections():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:  # already started, in a process that trains several times: must be the same then
            if tf.config.threading.get_intra_op_parallelism_threads() != threads:
                raise
        tf.config.list_logical_devices()
        tf.get_logger().setLevel("ERROR")  # a search builds a network for each trial; that is no mistake
    return tf

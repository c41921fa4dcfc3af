"""The columns of the tables that stages hand to each other: name -> pandas dtype, meaning beside it."""

MANIFEST = {
    "image_id": "str",  # 20 hex digits of sha256(path, content): the same picture at the same path, everywhere
    "path": "str",  # relative to the source, "/" between folders
    "label": "str",  # missing for a file outside the class folders
    "given_split": "str",  # train, validation, test; missing when the source gives none
    "sha256": "str",  # of the file's bytes; missing when they could not be read
    "bytes": "int64",
    "width": "Int32",  # pixels, upright; missing for a file that is no picture
    "height": "Int32",  # pixels, upright
    "mode": "str",  # Pillow's mode as stored: RGB, L, P, CMYK, I;16, ...
    "format": "str",  # as found in the content, whatever the suffix: JPEG, PNG, ...
    "orientation": "Int32",  # EXIF, 1 (upright) to 8
    "error": "str",  # why the file is left out; missing for a picture
}

LEFT_OUT = "left out by ingest.labels"  # an `error` that is a decision, no fault of the file

CURATED = {
    "image_id": "str",
    "label": "str",
    "group_id": "str",  # image_id of the first of its duplicates; a group never straddles splits
    "keep": "bool",
    "reason": "str",  # why not kept: exact duplicate, label conflict, undersampled
    "weight": "float64",  # in the training loss
}

SPLITS = {
    "image_id": "str",
    "label": "str",
    "split": "str",  # train, validation, test
}

SPLIT_NAMES = ("train", "validation", "test")

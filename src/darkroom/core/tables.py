"""The columns of the tables that stages pass to each other: name -> pandas dtype, with the meaning as a comment."""

MANIFEST = {
    "image_id": "str",  # 20 hex digits of sha256(path, content): the same picture at the same path, everywhere
    "path": "str",  # relative to the source, "/" between folders
    "label": "str",  # missing for a file outside the class folders
    "given_split": "str",  # train, validation, test; missing when the source gives none
    "group": "str",  # what belongs together according to the source (a patient, a video); mostly missing
    "attributes": "str",  # JSON text: {column: value} of the further columns of a table; missing without
    "feedback": "bool",  # from data/feedback/: a picture with the label that a person gave it; never in test
    "sha256": "str",  # of the file's bytes; missing when they could not be read
    "bytes": "int64",
    "width": "Int32",  # pixels, upright; missing for a file that is not an image
    "height": "Int32",  # pixels, upright
    "mode": "str",  # Pillow's mode as stored: RGB, L, P, CMYK, I;16, ...
    "format": "str",  # as found in the content, whatever the suffix: JPEG, PNG, ...
    "palette": "Int32",  # colours of a palette; missing without one
    "orientation": "Int32",  # EXIF, 1 (upright) to 8
    "greyscale": "boolean",  # whether no pixel has a colour, whatever the mode
    "brightness": "float32",  # mean luma, 0 (black) to 1 (white)
    "darkest": "float32",  # luma that 5 % of the pixels stay below, 0 to 1: high in a washed-out picture
    "brightest": "float32",  # luma that 95 % of the pixels stay below, 0 to 1: low in an underexposed one
    "contrast": "float32",  # standard deviation of luma, 0 to 0.5
    "sharpness": "float32",  # variance of the Laplacian of luma (0-255)
    "entropy": "float32",  # bits a pixel, of the histogram of luma, 0 to 8
    "phash": "str",  # perceptual hash, 16 hex digits: pictures that look alike differ in few bits
    "error": "str",  # why the file is left out; missing for a picture
}

LEFT_OUT = "left out by ingest.labels or data/corrections.csv"  # an `error` that is a decision, not a fault of the file

CURATED = {
    "image_id": "str",
    "label": "str",
    "duplicate_id": "str",  # image_id of the first of its exact and near duplicates
    "group_id": "str",  # image_id of the first of all that belong together (duplicates, dedupe.group_by); never split
    "keep": "bool",
    "reason": "str",  # why not kept: one of REASONS
    "weight": "float64",  # in the training loss
}

REASONS = (
    "filtered",
    "label conflict",
    "exact duplicate",
    "near duplicate",
    "shared group",  # a patient, a video ... that the source has in two splits: the test side stays
    "undersampled",
    "over the cap",
)

CORRECTED = "corrected by feedback"  # a `reason` in SPLITS: the same picture is there with the label that a person gave
IN_TEST = "feedback on a test picture"  # why feedback that is kept is in no split

SPLITS = {
    "image_id": "str",
    "label": "str",
    "split": "str",  # train, validation, test
    "fold": "Int32",  # 0 to split.folds - 1; missing for test and without folds
    "weight": "float64",  # in the training loss
    "copies": "int32",  # times an epoch: 1, more when oversampled; 0: left out
    "reason": "str",  # why left out: "undersampled", "over the cap" or CORRECTED; missing for what is used
}

ANSWERS = {
    "image_id": "str",
    "split": "str",  # validation or test
    "label": "str",
    "predicted": "str",
    "probabilities": "object",  # of the classes in the order of their names, list of float32
}

ISSUES = (
    "dark",
    "bright",
    "blurred",
    "low_information",
    "odd_size",
    "odd_aspect",
    "greyscale",
    "exact_duplicate",
    "near_duplicate",
    "label_conflict",
)

ISSUE_TABLE = {  # for each issue a score, 0 (worst) to 1 (none), and a flag
    "image_id": "str",
    **{f"{name}_score": "float32" for name in ISSUES},
    **{f"is_{name}": "bool" for name in ISSUES},
}

SPLIT_NAMES = ("train", "validation", "test")

"""Editing params.yaml without losing its comments or its layout."""

from io import StringIO
from statistics import mode
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from darkroom.core.errors import UserError
from darkroom.params.load import yaml_mistake

WHOLE_MAPPINGS = {"tune.space", "ingest.labels"}  # their keys are the user's: replaced as a whole, never merged


def parse_document(text: str) -> CommentedMap:
    """Return the text of params.yaml with its comments; raises UserError where that is not possible."""
    try:
        document: CommentedMap = _editor().load(text)
    except YAMLError as error:  # the parser that reads the values takes more, such as a tab before a value
        raise yaml_mistake("params.yaml", "cannot be edited automatically", text, error) from None
    return document


def dump_document(document: CommentedMap) -> str:
    """Return the document as text; raises UserError when reading that text gives other values."""
    text = StringIO()
    _editor().dump(document, text)
    try:
        same = YAML(typ="safe").load(text.getvalue()) == plain_values(document)
    except YAMLError:
        same = False
    if not same:
        raise UserError("params.yaml: its layout cannot be edited automatically; start from `git checkout params.yaml`")
    return text.getvalue()


def overlay(document: CommentedMap, changes: dict[str, Any], prefix: str = "") -> None:
    """Set the values of `changes` where they differ from `document`; raises UserError for an unknown section."""
    for key, value in changes.items():
        where = f"{prefix}{key}"
        if isinstance(value, dict) and where not in WHOLE_MAPPINGS:
            if key not in document:
                raise UserError(f"the recipe's section {where} is not in params.yaml")
            overlay(document[key], value, f"{where}.")
        elif key not in document or plain_values(document[key]) != value:
            _replace_value(document, key, value)


def plain_values(value: Any) -> Any:
    """Return ruamel's value as plain dicts and lists."""
    if isinstance(value, dict):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_values(item) for item in value]
    return value


def _editor() -> YAML:
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 200
    return editor


def _replace_value(section: CommentedMap, key: str, value: Any) -> None:
    section[key] = _in_flow_style(value)
    if comment := section.ca.items.get(key):
        # where comments before the items of a block list stood; a list in one line has no such place
        comment[3:] = [None]
    _align_comments(section)


def _align_comments(section: CommentedMap) -> None:
    """Put the comments of a section in one column, from which a long value may have pushed one."""
    tokens = [entry[2] for entry in section.ca.items.values() if entry[2] and entry[2].value.startswith("#")]
    if tokens:
        column = mode(token.start_mark.column for token in tokens)
        for token in tokens:
            token.start_mark.column = column


def _in_flow_style(value: Any) -> Any:
    """Return `value` as it is written by hand: on one line, but for a mapping that holds nothing but mappings."""
    if isinstance(value, list):
        sequence = CommentedSeq(map(_in_brackets, value))
        sequence.fa.set_flow_style()
        return sequence
    if not isinstance(value, dict):
        return value
    mapping = CommentedMap({_in_brackets(key): _in_brackets(item) for key, item in value.items()})
    if not value or not all(isinstance(item, dict) for item in value.values()):
        mapping.fa.set_flow_style()
    return mapping


def _in_brackets(value: Any) -> Any:
    """Return `value` for within brackets: in quotes where the parser of the values would not read it without them."""
    if isinstance(value, str) and set(":?") & set(value):
        return SingleQuotedScalarString(value)
    return _in_flow_style(value)

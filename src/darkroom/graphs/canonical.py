"""The canonical form of an ONNX graph: the same bytes for the same computation, whatever its nodes were called."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def canonical_bytes(model: "onnx.ModelProto", inputs: list[str], outputs: list[str]) -> bytes:
    """Return a model with these names of its inputs and outputs, in bytes that depend on the computation alone.

    Nodes stand in the order in which the outputs need them, tensors are numbered in that order, and what no output
    needs is left out. Raises ValueError for a node that holds a graph of its own.
    """
    import onnx

    graph = model.graph
    _drop_idle_reshapes(model)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes = _ordered(graph)
    ends = [*zip(graph.input, inputs, strict=True), *zip(graph.output, outputs, strict=True)]
    names = _numbered({old.name: new for old, new in ends}, nodes)
    used = [name for name in names if name in weights]  # in the order of their numbers
    clean = onnx.helper.make_graph(
        [_renamed(node, names) for node in nodes],
        "network",
        [_described(old, new) for old, new in ends[: len(inputs)]],
        [_described(old, new) for old, new in ends[len(inputs) :]],
        [_named(weights[name], names[name]) for name in used],
    )
    imports = [one for one in model.opset_import if not one.domain]
    whole = onnx.helper.make_model(clean, opset_imports=imports, ir_version=model.ir_version)
    return bytes(whole.SerializeToString(deterministic=True))


def _drop_idle_reshapes(model: "onnx.ModelProto") -> None:
    """Take out each Reshape whose output has the shape of its input.

    tf2onnx walks through sets of names when it takes out such pairs, and so leaves another number of them each time.
    """
    import onnx

    known = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: [axis.dim_value or -1 for axis in value.type.tensor_type.shape.dim]
        for value in (*known.value_info, *known.input)
        if value.type.tensor_type.HasField("shape")  # else even the number of axes is unknown
    }
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    same: dict[str, str] = {}
    for node in model.graph.node:  # a node stands behind those that it needs
        if node.op_type == "Reshape" and node.input[1] in weights and node.input[0] in shapes:
            target = onnx.numpy_helper.to_array(weights[node.input[1]]).tolist()
            if target == shapes[node.input[0]] and target.count(-1) < 2:
                same[node.output[0]] = same.get(node.input[0], node.input[0])
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = same.get(name, name)


def _ordered(graph: "onnx.GraphProto") -> "list[onnx.NodeProto]":
    """Return the nodes that the outputs need, each behind those that it needs itself."""
    maker = {name: node for node in graph.node for name in node.output}
    found: dict[str, onnx.NodeProto] = {}  # by the first output
    for output in graph.output:
        waiting = [output.name]
        while waiting:
            node = maker.get(waiting[-1])
            if node is None or node.output[0] in found:
                waiting.pop()
                continue
            missing = [name for name in _needs(node) if name in maker and maker[name].output[0] not in found]
            if not missing:
                found[node.output[0]] = node
            waiting += reversed(missing)
    return list(found.values())


def _numbered(ends: dict[str, str], nodes: "list[onnx.NodeProto]") -> dict[str, str]:
    """Return the new names of all tensors, in the order in which the nodes have them; `ends` are given ones."""
    names = {"": "", **ends}
    for node in nodes:
        for name in (*node.input, *node.output):
            names.setdefault(name, f"t{len(names)}")
    return names


def _needs(node: "onnx.NodeProto") -> Iterator[str]:
    if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
        raise ValueError(f"the ONNX graph holds a graph of its own, in a node {node.op_type}")
    yield from node.input


def _described(value: "onnx.ValueInfoProto", name: str) -> "onnx.ValueInfoProto":
    """Return type and shape of an input or output under its name; axes of any length, of which it has one, are n."""
    import onnx

    copy = onnx.helper.make_value_info(name, value.type)
    for axis in copy.type.tensor_type.shape.dim:
        if axis.dim_param:
            axis.dim_param = "n"
    return copy


def _renamed(node: "onnx.NodeProto", names: dict[str, str]) -> "onnx.NodeProto":
    import onnx

    copy = onnx.NodeProto(op_type=node.op_type, domain=node.domain)
    copy.input.extend(names[name] for name in node.input)
    copy.output.extend(names[name] for name in node.output)
    copy.attribute.extend(sorted(node.attribute, key=lambda attribute: str(attribute.name)))
    return copy


def _named(tensor: "onnx.TensorProto", name: str) -> "onnx.TensorProto":
    import onnx

    copy = onnx.TensorProto()
    copy.CopyFrom(tensor)
    copy.name = name
    copy.ClearField("doc_string")
    return copy

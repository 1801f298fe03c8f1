# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What make-decoder-exports and make-encoder-decoder-exports do to a file that an exporter wrote before it is kept as a test.
import onnx


def without_names(path):
    """Gives every node, value and dimension a name that says nothing, and drops what describes values."""
    model = onnx.load(path)
    names = {}

    def new(name):
        return names.setdefault(name, f"n{len(names)}") if name else name

    graph = model.graph
    del graph.value_info[:]
    for value in list(graph.input) + list(graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = new("dim " + dim.dim_param)
        value.name = new(value.name)
    for tensor in graph.initializer:
        tensor.name = new(tensor.name)
    for node in graph.node:
        node.name = ""
        node.doc_string = ""
        del node.metadata_props[:]
        for field in (node.input, node.output):
            field[:] = [new(name) for name in field]
        assert not any(a.HasField("g") for a in node.attribute), "graphs inside nodes are not renamed"
    graph.name = "g"
    onnx.save(model, path)


def tidy(path):
    """Drops what exporters write for debugging: traces name files of this machine."""
    model = onnx.load(path)
    for node in list(model.graph.node) + [n for f in model.functions for n in f.node]:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output) + list(model.graph.initializer):
        value.doc_string = ""
        if hasattr(value, "metadata_props"):
            del value.metadata_props[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    model.graph.doc_string = model.doc_string = ""
    onnx.save(model, path)

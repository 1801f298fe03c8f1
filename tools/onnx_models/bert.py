# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes an encoder of BERT's shape with random weights as exporters of PyTorch spell it: heads by reshape and transpose, norms and GELU in
primitive operators, an additive mask of the lowest float, shapes computed from the input's."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write(path, layers=12, heads=12, width=768, inner=3072, vocabulary=30522, positions=512, seed=0):
    rng = np.random.default_rng(seed)
    nodes, constants = [], {}

    def constant(name, value):
        constants.setdefault(name, np.asarray(value))
        return name

    def node(op, inputs, **attributes):
        output = f"{op}_{len(nodes)}"
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def weight(name, *shape):
        return constant(name, (rng.standard_normal(shape) * 0.02).astype(np.float32))

    def norm(x, name):
        centred = node("Sub", [x, node("ReduceMean", [x], axes=[-1])])
        variance = node("ReduceMean", [node("Pow", [centred, constant("two", np.float32(2))])], axes=[-1])
        root = node("Sqrt", [node("Add", [variance, constant("eps", np.float32(1e-12))])])
        scaled = node("Mul", [node("Div", [centred, root]), constant(name + ".weight", np.ones(width, np.float32))])
        return node("Add", [scaled, weight(name + ".bias", width)])

    def dense(x, name, rows, columns):
        return node("Add", [weight(name + ".bias", columns), node("MatMul", [x, weight(name + ".weight", rows, columns)])])

    size = node("Shape", ["input_ids"])
    batch = node("Gather", [size, constant("zero", np.int64(0))])
    length = node("Gather", [size, constant("one", np.int64(1))])
    axis = constant("axis", np.array([0]))
    batch, length = node("Unsqueeze", [batch, axis]), node("Unsqueeze", [length, axis])
    places = node("Slice", [constant("position_ids", np.arange(positions)[None]), axis, length, constant("axis_1", np.array([1]))])
    words = node("Gather", [weight("word_embeddings", vocabulary, width), "input_ids"])
    x = norm(node("Add", [words, node("Gather", [weight("position_embeddings", positions, width), places])]), "embeddings.norm")
    mask = node("Unsqueeze", [node("Unsqueeze", ["attention_mask", constant("axis_1", np.array([1]))]), constant("axis_2", np.array([2]))])
    mask = node("Sub", [constant("one_f", np.float32(1)), node("Cast", [mask], to=TensorProto.FLOAT)])
    mask = node("Mul", [mask, constant("lowest", np.finfo(np.float32).min)])
    each = width // heads
    for layer in range(layers):
        name = f"layer.{layer}."

        def head(which, order):
            shape = node("Concat", [batch, length, constant("heads", np.array([heads])), constant("each", np.array([each]))], axis=0)
            return node("Transpose", [node("Reshape", [dense(x, name + which, width, width), shape])], perm=order)

        query, key, value = head("query", [0, 2, 1, 3]), head("key", [0, 2, 3, 1]), head("value", [0, 2, 1, 3])
        scores = node("Div", [node("MatMul", [query, key]), constant("root", np.float32(each**0.5))])
        weights = node("Softmax", [node("Add", [scores, mask])], axis=-1)
        mixed = node("Transpose", [node("MatMul", [weights, value])], perm=[0, 2, 1, 3])
        mixed = node("Reshape", [mixed, node("Concat", [batch, length, constant("width", np.array([width]))], axis=0)])
        x = norm(node("Add", [dense(mixed, name + "output", width, width), x]), name + "attention.norm")
        wide = dense(x, name + "intermediate", width, inner)
        gate = node("Add", [node("Erf", [node("Div", [wide, constant("sqrt2", np.float32(2**0.5))])]), constant("one_f", np.float32(1))])
        active = node("Mul", [node("Mul", [wide, gate]), constant("half", np.float32(0.5))])
        x = norm(node("Add", [dense(active, name + "down", inner, width), x]), name + "output.norm")
    nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    shape = ["batch", "sequence"]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, shape) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "bert", inputs, outputs, [numpy_helper.from_array(v, k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)

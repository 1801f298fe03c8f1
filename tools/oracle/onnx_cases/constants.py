# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What follows from initializers and constants alone, of every type and through every kind of operator: an engine holds its result."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


def make(cases):
    node = helper.make_node
    constant = lambda name, value: helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value), name))

    def f(*shape):
        return cases.random(("constants",) + shape).standard_normal(shape).astype(np.float32)

    # Positions that a norm and a projection make of a table, turned around and multiplied by what is computed, as DeBERTa has them.
    cases.add("projected_positions", None, [("x", f(2, 3, 8)), ("table", f(10, 16)), ("scale", f(16)), ("w", f(16, 8))], ["y"], fixed=("table", "scale", "w"),
              dynamic={"x": {0: "b", 1: "s"}},
              nodes=[node("LayerNormalization", ["table", "scale"], ["n"]), node("MatMul", ["n", "w"], ["p"]), node("Transpose", ["p"], ["t"], perm=[1, 0]),
                     node("MatMul", ["x", "t"], ["y"])])
    # A mask of regions, written by scatters, as windowed attention has it.
    regions = [constant("zeros", np.zeros((6, 6), np.float32)), constant("rows", np.int64([[1, 1], [1, 2], [4, 5], [5, 5]])),
               constant("numbers", np.float32([1, 2, 3, 4])), node("ScatterND", ["zeros", "rows", "numbers"], ["marked"]),
               constant("flat", np.int64([36])), node("Reshape", ["marked", "flat"], ["line"]), constant("axis0", np.int64([0])),
               constant("axis1", np.int64([1])), node("Unsqueeze", ["line", "axis0"], ["across"]), node("Unsqueeze", ["line", "axis1"], ["down"]),
               node("Sub", ["across", "down"], ["apart"]), constant("none", np.float32(0)), constant("low", np.float32(-100)),
               node("Equal", ["apart", "none"], ["same"]), node("Where", ["same", "none", "low"], ["mask"])]
    cases.add("mask_of_regions", None, [("x", f(36, 36))], ["y"], nodes=regions + [node("Add", ["x", "mask"], ["y"])])
    cases.add("truth_of_regions", None, [("x", f(36, 36))], ["y", "same"], types={"y": np.float32, "same": bool},
              nodes=regions + [node("Where", ["same", "x", "none"], ["y"])])
    # Of every type, beside an input that decides nothing of it (as small as these they are evaluated while importing).
    for name, kind, other in (("float64", TensorProto.DOUBLE, "Sqrt"), ("float16", TensorProto.FLOAT16, "Neg"), ("int64", TensorProto.INT64, "Abs"),
                              ("int8", TensorProto.INT8, "Neg"), ("uint8", TensorProto.UINT8, None), ("int32", TensorProto.INT32, "Neg")):
        nodes = [constant("a", np.arange(1, 13, dtype=np.float32).reshape(3, 4)), constant("b", f(4, 5) * 0 + np.float32(2)), node("MatMul", ["a", "b"], ["p"]),
                 node("Cast", ["p"], ["c" if other else "d"], to=kind)] + ([node(other, ["c"], ["d"])] if other else [])
        cases.add("of_" + name, None, [("x", f(3, 5))], ["y", "d"], types={"y": np.float32, "d": helper.tensor_dtype_to_np_dtype(kind)},
                  nodes=nodes + [node("Cast", ["d"], ["e"], to=TensorProto.FLOAT), node("Add", ["x", "e"], ["y"])], tolerance=1e-3 if name == "float16" else None)
    # An output that nothing decides at run time, beside one that does.
    cases.add("output_of_constants", None, [("x", f(2, 4)), ("w", f(4, 6))], ["y", "z"], fixed=("w",), dynamic={"x": {0: "n"}},
              nodes=[node("Softmax", ["w"], ["z"], axis=1), node("MatMul", ["x", "z"], ["y"])])
    # What only repeats stays an operator; two parts of one value.
    cases.add("repeated", None, [("x", f(4, 40, 30)), ("w", f(1, 30))], ["y"], fixed=("w",),
              nodes=[node("Tanh", ["w"], ["t"]), constant("shape", np.int64([4, 40, 30])), node("Expand", ["t", "shape"], ["wide"]), node("Mul", ["x", "wide"], ["y"])])
    cases.add("two_parts", None, [("x", f(2, 3)), ("w", f(2, 6))], ["y"], fixed=("w",),
              nodes=[node("Sigmoid", ["w"], ["s"]), constant("sizes", np.int64([3, 3])), node("Split", ["s", "sizes"], ["l", "r"], axis=1),
                     node("Mul", ["x", "l"], ["m"]), node("Add", ["m", "r"], ["y"])])

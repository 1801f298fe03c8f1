# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Graphs that are right for some shapes of their inputs alone: what an importer has to take for true, and a run has to check."""
import numpy as np
from onnx import helper, numpy_helper


def make(cases):
    random = cases.random("shapes")
    f = lambda *shape: random.standard_normal(shape).astype(np.float32)
    node = helper.make_node
    constant = lambda name, value: node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value), name))

    cases.add("reshape_to_the_shape_of_another", None, [("x", f(6, 4)), ("y", f(3, 8))], ["out"],
              dynamic={"x": {0: "a", 1: "b"}, "y": {0: "c", 1: "d"}},
              nodes=[node("Shape", ["y"], ["shape"]), node("Reshape", ["x", "shape"], ["z"], name="as_y"), node("Add", ["z", "y"], ["out"])],
              refused=[({"x": [6, 4], "y": [3, 9]}, r"'as_y' expects as many elements in \[c, d\] as in \[a, b\].*found.*24.*27.*x \[6, 4\], y \[3, 9\]")])
    cases.add("reshape_infers_a_dimension", None, [("x", f(6, 4))], ["out"], dynamic={"x": {0: "a"}},
              nodes=[constant("shape", np.array([-1, 3], np.int64)), node("Reshape", ["x", "shape"], ["out"], name="threes")],
              refused=[({"x": [5, 4]}, r"'threes' expects.*20")])
    cases.add("squeeze_of_a_dynamic_dimension", None, [("x", f(1, 5))], ["out"], dynamic={"x": {0: "a"}},
              nodes=[constant("axes", np.array([0], np.int64)), node("Squeeze", ["x", "axes"], ["z"], name="squeezed"), node("Neg", ["z"], ["out"])],
              refused=[({"x": [2, 5]}, r"input 'x': dimension 0 is 2, expected 1")])
    cases.add("table_of_positions", None, [("x", f(2, 7, 3)), ("table", f(16, 3))], ["out"], fixed=("table",),
              dynamic={"x": {0: "batch", 1: "length"}},
              nodes=[constant("one", np.array([1], np.int64)), constant("two", np.array([2], np.int64)), constant("zero", np.array([0], np.int64)),
                     node("Shape", ["x"], ["shape"]), node("Slice", ["shape", "one", "two", "zero"], ["length"]),
                     node("Slice", ["table", "zero", "length", "zero"], ["rows"]), node("Add", ["x", "rows"], ["out"], name="places")],
              refused=[({"x": [1, 17, 3]}, r"'places' expects.*length = 17.*x \[1, 17, 3\]")])
    cases.add("broadcast_of_two_dimensions", None, [("x", f(1, 3)), ("y", f(5, 3))], ["out"], dynamic={"x": {0: "a"}, "y": {0: "b"}},
              nodes=[node("Mul", ["x", "y"], ["out"], name="product")],
              refused=[({"x": [2, 3], "y": [5, 3]}, r"'product' expects.*a = b.*or one of them is 1; found a = 2, b = 5"),
                       ({"x": [5, 3], "y": [4, 3]}, "found a = 5, b = 4")])
    cases.add("broadcast_against_a_constant", None, [("x", f(1, 3)), ("w", f(4, 3))], ["out"], fixed=("w",), dynamic={"x": {0: "a"}},
              nodes=[node("Sub", ["x", "w"], ["out"], name="difference")], refused=[({"x": [3, 3]}, "'difference' expects.*found a = 3")])
    cases.add("matmul_of_dynamic_depth", None, [("x", f(2, 5)), ("y", f(5, 3))], ["out"], dynamic={"x": {1: "j"}, "y": {0: "k"}},
              nodes=[node("MatMul", ["x", "y"], ["out"], name="multiplied")],
              refused=[({"x": [2, 6], "y": [5, 3]}, "input 'y' has j = 5, but input 'x' has 6")])
    cases.add("concat_beside_its_axis", None, [("x", f(3, 2)), ("y", f(3, 4))], ["out"], dynamic={"x": {0: "a"}, "y": {0: "b"}},
              nodes=[node("Concat", ["x", "y"], ["out"], axis=1, name="joined")],
              refused=[({"x": [3, 2], "y": [2, 4]}, "input 'y' has a = 2, but input 'x' has 3")])
    cases.add("split_of_a_dynamic_axis", None, [("x", f(5, 2))], ["first", "second"], dynamic={"x": {0: "a"}},
              nodes=[constant("sizes", np.array([2, 3], np.int64)), node("Split", ["x", "sizes"], ["first", "second"], axis=0, name="parts")],
              refused=[({"x": [4, 2]}, "input 'x': dimension 0 is 4, expected 5")])
    cases.add("bits_of_f64", None, [("x", np.array([1.5, -2, 1e300, 5e-324]))], ["bits", "out"], dynamic={"x": {0: "a"}}, opset=26,
              nodes=[node("BitCast", ["x"], ["bits"], to=7), node("Neg", ["bits"], ["negated"]), node("BitCast", ["negated"], ["out"], to=11)])

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Branches of If that a run chooses and that give tensors of different sizes: what follows is computed with those of the branch."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


def make(cases):
    f = lambda *shape: cases.random("choice").standard_normal(shape).astype(np.float32)
    node = helper.make_node
    info = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    branch = lambda name, *given: helper.make_graph([node("Identity", [x], [f"{name}_{x}"]) for x in given], name, [], [info(f"{name}_{x}") for x in given])
    zero = node("Constant", [], ["zero"], value=numpy_helper.from_array(np.float32(0), "zero"))
    condition = [zero, node("ReduceSum", ["x"], ["sum"], keepdims=0), node("Greater", ["sum", "zero"], ["positive"])]
    # As longrope's two tables: more rows in one, taken by both outputs.
    for name, x in (("more", np.abs(f(2, 3))), ("fewer", -np.abs(f(2, 3)))):
        cases.add(f"if_of_two_sizes_{name}", None, [("x", x), ("a", f(7, 4)), ("b", f(3, 4)), ("c", f(7, 4)), ("d", f(3, 4))], ["out", "rows"],
                  dynamic={"x": {0: "n"}}, fixed=("a", "b", "c", "d"), types={"out": np.float32, "rows": np.float32},
                  nodes=condition + [node("If", ["positive"], ["p", "q"], then_branch=branch("yes", "a", "c"), else_branch=branch("no", "b", "d")),
                                     node("Mul", ["p", "q"], ["out"]), node("ReduceSum", ["p"], ["rows"], keepdims=1)])
    # A dimension of an input in one, a number in the other.
    for name, x in (("given", np.abs(f(5, 4))), ("fixed", -np.abs(f(5, 4)))):
        cases.add(f"if_of_a_size_{name}", None, [("x", x), ("b", f(3, 4))], ["out"], dynamic={"x": {0: "n"}}, fixed=("b",), types={"out": np.float32},
                  nodes=condition + [node("If", ["positive"], ["p"], then_branch=branch("yes", "x"), else_branch=branch("no", "b")),
                                     node("Neg", ["p"], ["out"])])

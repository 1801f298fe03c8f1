# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Graphs whose shapes depend on what their inputs hold, branches that an input chooses, and sizes that pass through floats."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


def make(cases):
    random = cases.random("data")
    f = lambda *shape: random.standard_normal(shape).astype(np.float32)
    node = helper.make_node
    constant = lambda name, value: node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value), name))
    whole = lambda name, *values: constant(name, np.array(values, np.int64))

    cases.add("nonzero", None, [("x", f(6, 11))], ["places"], dynamic={"x": {0: "n", 1: "m"}},
              nodes=[constant("zero", np.float32(0)), node("Greater", ["x", "zero"], ["holds"]), node("NonZero", ["holds"], ["places"])])
    # More than 4,096 places: three levels of counts.
    many = np.zeros((2, 4500), np.int64)
    many[0, ::97], many[1, [0, 63, 64, 4095, 4096, 4499]] = 3, -1
    cases.add("nonzero_of_many", None, [("x", many)], ["places"], nodes=[node("NonZero", ["x"], ["places"])])
    cases.add("nonzero_of_nothing", None, [("x", np.zeros((3, 5), np.float32))], ["places"], dynamic={"x": {0: "n"}},
              nodes=[node("NonZero", ["x"], ["places"])])
    cases.add("nonzero_of_ones_counts", None, [("x", f(9))], ["out"], dynamic={"x": {0: "n"}},
              nodes=[node("Shape", ["x"], ["shape"]), node("ConstantOfShape", ["shape"], ["ones"], value=helper.make_tensor("", TensorProto.INT64, [1], [1])),
                     node("NonZero", ["ones"], ["places"]), node("Cast", ["places"], ["counted"], to=TensorProto.FLOAT), node("Add", ["x", "counted"], ["out"])])
    cases.add("rows_that_a_mask_shows", None, [("x", f(3, 5, 8)), ("mask", np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 0, 0, 0, 1]], np.int64)), ("w", f(8, 4))],
              ["out", "mean"], fixed=("w",), dynamic={"x": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}},
              nodes=[node("NonZero", ["mask"], ["places"]), node("Transpose", ["places"], ["pairs"], perm=[1, 0]), node("GatherND", ["x", "pairs"], ["rows"]),
                     node("MatMul", ["rows", "w"], ["product"]), node("Softmax", ["product"], ["out"], axis=-1),
                     node("ReduceMean", ["rows"], ["mean"], axes=[0], keepdims=0)], opset=17)
    cases.add("compress_along_an_axis", None, [("x", f(3, 7, 5)), ("c", np.array([0, 1, 1, 0, 0, 1, 0], bool))], ["out"],
              dynamic={"x": {1: "n"}, "c": {0: "n"}}, nodes=[node("Compress", ["x", "c"], ["out"], axis=1)])
    cases.add("compress_flat", None, [("x", f(3, 4)), ("c", np.array([0, 1, 1, 0, 0, 1, 0], bool))], ["out"], dynamic={"x": {0: "n"}},
              nodes=[node("Compress", ["x", "c"], ["out"])])
    names = ["values", "first", "place", "count"]
    for order in (0, 1):
        cases.add(f"unique_{'sorted' if order else 'as_they_come'}", None, [("x", np.array([5, 2, 9, 2, -1, 5, 5], np.int64))], names,
                  dynamic={"x": {0: "n"}}, nodes=[node("Unique", ["x"], names, sorted=order)])
        cases.add(f"unique_columns_{'sorted' if order else 'as_they_come'}", None,
                  [("x", np.array([[3, 1, 3, 1, 2, 1], [0, 4, 0, 5, 7, 4]], np.float32))], names, dynamic={"x": {1: "n"}},
                  nodes=[node("Unique", ["x"], names, sorted=order, axis=1)])
    cases.add("slice_to_the_longest", None, [("x", f(3, 6, 8)), ("mask", np.array([[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0]], np.int64)), ("w", f(8, 4))],
              ["out"], fixed=("w",), dynamic={"x": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}},
              nodes=[whole("axis", 1), whole("zero", 0), node("ReduceSum", ["mask", "axis"], ["lengths"], keepdims=0), whole("first", 0),
                     node("ReduceMax", ["lengths", "first"], ["longest"], keepdims=1), node("Slice", ["x", "zero", "longest", "axis"], ["cut"]),
                     node("MatMul", ["cut", "w"], ["out"])])
    cases.add("slice_from_the_largest_on", None, [("x", f(9)), ("y", f(2, 9))], ["out"], dynamic={"x": {0: "n"}, "y": {1: "n"}},
              nodes=[node("ArgMax", ["x"], ["at"], axis=0, keepdims=1), whole("end", 2**62), whole("axis", 1),
                     node("Slice", ["y", "at", "end", "axis"], ["rest"]), node("Softmax", ["rest"], ["out"], axis=1)])
    cases.add("top_of_a_number_that_is_counted", None, [("x", f(2, 8)), ("k", np.array([3], np.int64))], ["values", "places"], dynamic={"x": {1: "n"}},
              nodes=[node("TopK", ["x", "k"], ["values", "places"])])

    # Sizes that are counted: from a mask's sum, on which arithmetic of a graph builds.
    mask = np.array([[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0]], np.int64)
    open_mask = {"mask": {0: "batch", 1: "length"}}
    count = [whole("axis", 1), whole("first", 0), node("ReduceSum", ["mask", "axis"], ["lengths"], keepdims=0),
             node("ReduceMax", ["lengths", "first"], ["longest"], keepdims=0), constant("zero", np.int64(0)), constant("one", np.int64(1))]
    places = count + [node("Range", ["zero", "longest", "one"], ["places"])]
    cases.add("places_up_to_the_longest", None, [("mask", mask)], ["seen", "places"], dynamic=open_mask,
              nodes=places + [node("Unsqueeze", ["lengths", "axis"], ["column"]), node("Less", ["places", "column"], ["seen"])])
    cases.add("sizes_of_one_count_are_one_dimension", None, [("mask", mask), ("x", f(3, 6, 4))], ["out"],
              dynamic={**open_mask, "x": {0: "batch", 1: "length"}},
              nodes=places + [node("Shape", ["mask"], ["shape"]), node("Gather", ["shape", "zero"], ["batch"], axis=0), node("Unsqueeze", ["batch", "first"], ["batch1"]),
                              node("Unsqueeze", ["longest", "first"], ["longest1"]), whole("width", 4),
                              node("Concat", ["batch1", "longest1", "width"], ["to"], axis=0), node("ConstantOfShape", ["to"], ["zeros"]),
                              node("Unsqueeze", ["places", "axis"], ["places1"]), node("Cast", ["places1"], ["real"], to=TensorProto.FLOAT),
                              node("Gather", ["x", "places"], ["rows"], axis=1), node("Add", ["rows", "real"], ["sum"]), node("Add", ["sum", "zeros"], ["out"])])
    cases.add("half_of_a_count_in_floats", None, [("mask", mask.astype(bool)), ("x", f(6, 3))], ["out"], dynamic={"mask": {0: "batch", 1: "length"}, "x": {0: "length"}},
              nodes=[node("Cast", ["mask"], ["real"], to=TensorProto.FLOAT), whole("axis", 1), whole("first", 0), node("ReduceSum", ["real", "axis"], ["lengths"], keepdims=0),
                     node("ReduceMax", ["lengths", "first"], ["longest"], keepdims=0), constant("two", np.float32(2)), node("Div", ["longest", "two"], ["half"]),
                     node("Ceil", ["half"], ["up"]), node("Cast", ["up"], ["to"], to=TensorProto.INT64), constant("zero", np.int64(0)), constant("one", np.int64(1)),
                     node("Range", ["zero", "to", "one"], ["places"]), node("Gather", ["x", "places"], ["rows"], axis=0), node("Softmax", ["rows"], ["out"], axis=1)])
    cases.add("tile_and_one_hot_by_a_count", None, [("mask", mask), ("x", f(1, 5)), ("ids", np.array([0, 3, 1], np.int64))], ["tiled", "hot", "wide"], dynamic=open_mask,
              nodes=count + [node("Unsqueeze", ["longest", "first"], ["longest1"]), node("Concat", ["longest1", "axis"], ["repeats"], axis=0), node("Tile", ["x", "repeats"], ["tiled"]),
                             constant("values", np.array([0, 1], np.float32)), node("OneHot", ["ids", "longest", "values"], ["hot"]), whole("width", 5),
                             node("Concat", ["longest1", "width"], ["to"], axis=0), node("Expand", ["x", "to"], ["wide"])])
    cases.add("split_by_data", None, [("x", f(7, 3)), ("parts", np.array([2, 5], np.int64))], ["a", "b"], dynamic={"x": {0: "n"}},
              nodes=[node("Split", ["x", "parts"], ["a", "b"], axis=0)])
    for name, shape in {"plain": [3, 4, 2], "kept": [0, -1, 2], "inferred": [-1, 6, 1]}.items():
        cases.add(f"reshape_by_data_{name}", None, [("x", f(2, 3, 4)), ("shape", np.array(shape, np.int64))], ["y"], nodes=[node("Reshape", ["x", "shape"], ["y"])])
    cases.add("reshape_by_one_number_of_data", None, [("x", f(6, 4)), ("rows", np.array([3], np.int64))], ["y"], dynamic={"x": {0: "n"}},
              nodes=[whole("width", 8), node("Concat", ["rows", "width"], ["shape"], axis=0), node("Reshape", ["x", "shape"], ["y"])])

    # A size that exporters scale as a float: to the next multiple of 4, and by 1.5.
    sizes = [node("Shape", ["x"], ["shape"]), whole("one", 1), whole("two", 2), whole("zero", 0), node("Slice", ["shape", "one", "two", "zero"], ["size"]),
             node("Cast", ["size"], ["real"], to=TensorProto.FLOAT)]
    cases.add("size_rounded_up_as_a_float", None, [("x", f(2, 10))], ["out"], dynamic={"x": {1: "n"}},
              nodes=sizes + [constant("four", np.float32(4)), node("Div", ["real", "four"], ["part"]), node("Ceil", ["part"], ["up"]), node("Mul", ["up", "four"], ["scaled"]),
                             node("Cast", ["scaled"], ["to"], to=TensorProto.INT64), whole("rows", 2), node("Concat", ["rows", "to"], ["shape2"], axis=0),
                             node("ConstantOfShape", ["shape2"], ["out"])])
    cases.add("size_times_a_fraction", None, [("x", f(2, 1, 1, 7))], ["out"], dynamic={"x": {3: "n"}},
              nodes=[node("Shape", ["x"], ["shape"]), whole("three", 3), whole("four", 4), whole("zero", 0), node("Slice", ["shape", "three", "four", "zero"], ["size"]),
                     node("Cast", ["size"], ["real"], to=TensorProto.FLOAT), constant("half", np.float32(1.5)), node("Mul", ["real", "half"], ["more"]),
                     node("Floor", ["more"], ["down"]), node("Cast", ["down"], ["to"], to=TensorProto.INT64), whole("lead", 2, 1, 1),
                     node("Concat", ["lead", "to"], ["sizes"], axis=0), node("Resize", ["x", "", "", "sizes"], ["out"], mode="nearest")])
    # A kernel over what a kernel gave: lengths are (max(length - 10, 0) / 5 + 1 - 3) / 2 + 1.
    cases.add("convolutions_one_after_another", None, [("x", f(1, 1, 103)), ("v", f(4, 1, 10)), ("w", f(2, 4, 3))], ["out"], fixed=("v", "w"), dynamic={"x": {2: "length"}},
              nodes=[node("Conv", ["x", "v"], ["a"], strides=[5]), node("Conv", ["a", "w"], ["out"], strides=[2])], tolerance=1e-4)

    # Over an axis before one that is dynamic, as recognizers of text do with heights.
    cases.add("mean_and_largest_before_a_dynamic_axis", None, [("x", f(2, 3, 4, 9))], ["mean", "largest"], dynamic={"x": {0: "n", 3: "width"}},
              nodes=[whole("axis", 2), node("ReduceMean", ["x", "axis"], ["mean"], keepdims=0), node("ReduceMax", ["x", "axis"], ["largest"], keepdims=1)])

    # What Optimum's merged decoders do: one branch reads a past, the other does not, and shapes differ.
    info = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
    branch = lambda name, nodes: helper.make_graph(nodes, name, [], [info(f"{name}_out", TensorProto.FLOAT, None)])
    yes = branch("with_past", [node("Concat", ["past", "x"], ["with_past_out"], axis=0)])
    no = branch("without_past", [node("Identity", ["x"], ["without_past_out"])])
    cases.add("branch_with_the_past", None, [("x", f(2, 3)), ("past", f(4, 3)), ("use_cache_branch", np.array([True]))], ["out"],
              dynamic={"x": {0: "step"}, "past": {0: "past"}}, assumed=("use_cache_branch",), types={"out": np.float32},
              nodes=[node("If", ["use_cache_branch"], ["out"], then_branch=yes, else_branch=no)])

    # tf2onnx computes ranges in floats, of lengths as floats, and forwards from negative ones: arange(1 - length, 1).
    length = [node("Shape", ["x"], ["shape"]), whole("one", 1), node("Gather", ["shape", "one"], ["n"], axis=0), node("Squeeze", ["n"], ["length"]),
              node("Cast", ["length"], ["float_length"], to=TensorProto.FLOAT)]
    real = lambda name, value: constant(name, np.float32(value))
    cases.add("ranges_of_floats", None, [("x", f(2, 7))], ["up", "down", "halves", "before"], dynamic={"x": {1: "n"}},
              nodes=length + [real("zero", 0), real("first", 1), real("back", -1), real("half", 0.5), node("Range", ["zero", "float_length", "first"], ["up"]),
                              node("Range", ["float_length", "zero", "back"], ["down"]), node("Range", ["first", "float_length", "half"], ["halves"]),
                              node("Sub", ["first", "float_length"], ["start"]), node("Range", ["start", "first", "first"], ["before"])])
    ones = constant("whole_one", np.int64(1))
    cases.add("range_from_a_negative_length", None, [("x", f(2, 7))], ["before"], dynamic={"x": {1: "n"}},
              nodes=length + [ones, node("Sub", ["whole_one", "length"], ["start"]), node("Range", ["start", "whole_one", "whole_one"], ["before"])])

    # A slice of one axis as tf2onnx has it: ends as floats, the largest number for "all", which is the lowest where steps go backwards.
    ends = length + [real("zero_float", [0]), whole("axis_zero", 0), node("Unsqueeze", ["float_length", "axis_zero"], ["float_lengths"]),
                     node("Concat", ["zero_float", "float_lengths"], ["given"], axis=0), constant("all", np.float32([1e9, -1e9])), node("Max", ["given", "all"], ["most"]),
                     node("Cast", ["most"], ["ends"], to=TensorProto.INT32), constant("largest", np.int32(10**9)), constant("lowest", np.int32(-10**9)),
                     constant("steps", np.int32([1, 1])), constant("none", np.int32([0, 0])), node("Equal", ["ends", "largest"], ["is_all"]),
                     node("Less", ["steps", "none"], ["back"]), node("And", ["is_all", "back"], ["turned"]), node("Where", ["turned", "lowest", "ends"], ["to"])]
    cases.add("slice_with_ends_of_floats", None, [("x", f(2, 7)), ("table", f(2, 9))], ["y"], fixed=("table",), dynamic={"x": {1: "n"}},
              nodes=ends + [constant("axes", np.int32([0, 1])), node("Slice", ["table", "none", "to", "axes", "steps"], ["cut"]), node("Add", ["x", "cut"], ["y"])],
              refused=[({"x": [2, 12]}, r"x \[2, 12\]")])

    # Constants that are stored have names that are unique in their branch or function alone.
    weight = lambda: helper.make_node("Constant", [], ["weight"], value=numpy_helper.from_array(f(40, 40), "weight"))
    branch = lambda name: helper.make_graph([weight(), helper.make_node("MatMul", ["x", "weight"], [name])], name, [],
                                            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 40])])
    cases.add("branches_with_constants_of_one_name", None, [("x", f(2, 40)), ("c", np.array(True))], ["y"], types={"y": np.float32},
              nodes=[helper.make_node("If", ["c"], ["y"], then_branch=branch("yes"), else_branch=branch("no"))])
    alike = lambda name: helper.make_graph([helper.make_node("MatMul", ["x", "w"], [name])], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 40])])
    cases.add("branches_that_are_alike", None, [("x", f(2, 40)), ("c", np.array(True)), ("w", f(40, 40))], ["y"], types={"y": np.float32}, fixed=("w",),
              nodes=[helper.make_node("If", ["c"], ["y"], then_branch=alike("yes"), else_branch=alike("no"))])
    function = lambda name: helper.make_function("own", name, ["a"], ["b"], [weight(), helper.make_node("MatMul", ["a", "weight"], ["b"])],
                                                 [helper.make_opsetid("", 21)])
    cases.add("functions_with_constants_of_one_name", None, [("x", f(2, 40))], ["y"], functions=[function("F"), function("G")],
              nodes=[helper.make_node("F", ["x"], ["h"], domain="own"), helper.make_node("G", ["h"], ["i"], domain="own"),
                     helper.make_node("F", ["i"], ["y"], domain="own")])

    # Distances that count down, from and to what is read from positions, as Funnel has them; one end may be negative.
    cases.add("range_down_between_positions", None, [("x", f(2, 7))], ["distances"], dynamic={"x": {1: "n"}},
              nodes=length + [real("zero", 0), real("first", 1), constant("front", np.int64(0)), constant("end", np.int64(-1)), constant("back", np.int64(-1)),
                              constant("whole_zero", np.int64(0)), ones, node("Range", ["whole_zero", "length", "whole_one"], ["all"]),
                              node("Cast", ["all"], ["positions"], to=TensorProto.FLOAT), node("Gather", ["positions", "front"], ["least"]),
                              node("Gather", ["positions", "end"], ["most"]), node("Sub", ["least", "least"], ["nothing"]), real("three", 3),
                              node("Add", ["nothing", "three"], ["from_float"]), node("Sub", ["least", "most"], ["below"]), node("Sub", ["below", "first"], ["to_float"]),
                              node("Cast", ["from_float"], ["from"], to=TensorProto.INT64), node("Cast", ["to_float"], ["to"], to=TensorProto.INT64),
                              node("Range", ["from", "to", "back"], ["distances"])])

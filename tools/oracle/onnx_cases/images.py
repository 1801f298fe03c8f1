# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Blocks of networks for images and sequences: what stands between convolutions, whose channels lie last in an engine."""
import numpy as np
from onnx import helper


def make(cases):
    node = helper.make_node

    def net(name, x, build, dynamic=("n",), outputs=("y",), tolerance=None):
        """build(f, weight): nodes from x to y. weight(name, shape) makes an initializer; f gives numbers of any shape."""
        random = cases.random(name)
        weights = []

        def weight(key, *shape, values=None):
            made = values if values is not None else (random.standard_normal(shape) * 0.3).astype(np.float32)
            weights.append((key, made))
            return key

        given = ("x", random.standard_normal(x).astype(np.float32))
        nodes = build(weight)
        cases.add(name, None, [given] + weights, list(outputs), nodes=nodes, fixed=tuple(key for key, _ in weights), tolerance=tolerance,
                  dynamic={"x": {0: "n", **{axis: symbol for axis, symbol in enumerate(dynamic) if symbol}}})

    def ints(*values):
        return np.array(values, np.int64)

    # Squeeze and excitation: planes become numbers, numbers become factors of channels.
    def excitation(weight):
        return [node("Conv", ["x", weight("w0", 24, 3, 3, 3), weight("b0", 24)], ["c0"], pads=[1] * 4, strides=[2, 2]),
                node("HardSwish", ["c0"], ["h0"]),
                node("Conv", ["h0", weight("d", 24, 1, 5, 5)], ["c1"], pads=[2] * 4, group=24),
                node("GlobalAveragePool", ["c1"], ["g"]),
                node("Conv", ["g", weight("w1", 8, 24, 1, 1)], ["s0"]), node("Relu", ["s0"], ["s1"]),
                node("Conv", ["s1", weight("w2", 24, 8, 1, 1)], ["s2"]), node("HardSigmoid", ["s2"], ["s3"]),
                node("Mul", ["s3", "c1"], ["m"]),
                node("Conv", ["m", weight("w3", 20, 24, 1, 1)], ["c2"]),
                node("ReduceMean", ["c2", weight("axes", values=ints(2, 3))], ["r"], keepdims=0),
                node("Gemm", ["r", weight("f", 20, 5)], ["y"])]

    net("squeeze_and_excitation", (2, 3, 13, 10), excitation)
    net("squeeze_and_excitation_of_any_size", (2, 3, 9, 12), excitation, dynamic=("n", None, "h", "w"))

    # Norms of joined channels, as in DenseNet.
    def dense(weight):
        nodes, last, channels = [node("Conv", ["x", weight("w0", 12, 3, 3, 3)], ["c0"], pads=[1] * 4)], "c0", 12
        for i in range(1, 3):
            norm = [weight(f"{key}{i}", channels) for key in "som"] + [weight(f"v{i}", values=np.linspace(0.5, 2, channels, dtype=np.float32))]
            nodes += [node("BatchNormalization", [last] + norm, [f"n{i}"]), node("Relu", [f"n{i}"], [f"r{i}"]),
                      node("Conv", [f"r{i}", weight(f"w{i}", 12, channels, 3, 3)], [f"c{i}"], pads=[1] * 4),
                      node("Concat", [last, f"c{i}"], [f"j{i}"], axis=1)]
            last, channels = f"j{i}", channels + 12
        return nodes + [node("AveragePool", [last], ["y"], kernel_shape=[2, 2], strides=[2, 2])]

    net("joined_channels", (2, 3, 7, 9), dense, dynamic=("n", None, "h", "w"))

    # Half of the channels passes by, and the halves are shuffled.
    def shuffle(weight):
        return [node("Conv", ["x", weight("w0", 16, 3, 1, 1)], ["c0"]),
                node("Split", ["c0"], ["l", "r"], axis=1, num_outputs=2),
                node("Conv", ["r", weight("w1", 8, 8, 1, 1)], ["c1"]), node("Clip", ["c1", weight("low", values=np.float32(0)), weight("high", values=np.float32(6))], ["k"]),
                node("Conv", ["k", weight("d", 8, 1, 3, 3)], ["c2"], group=8, pads=[1] * 4),
                node("Concat", ["l", "c2"], ["j"], axis=1),
                node("Reshape", ["j", weight("cut", values=ints(0, 2, 8, 5, 6))], ["q"]), node("Transpose", ["q"], ["t"], perm=[0, 2, 1, 3, 4]),
                node("Reshape", ["t", weight("whole", values=ints(0, 16, 5, 6))], ["z"]),
                node("Conv", ["z", weight("w2", 8, 16, 3, 3)], ["y"], pads=[1] * 4)]

    net("shuffled_channels", (2, 3, 5, 6), shuffle)

    # Down, up and beside one another.
    def encoder_decoder(weight):
        return [node("Conv", ["x", weight("w0", 8, 3, 3, 3)], ["a"], pads=[1] * 4), node("LeakyRelu", ["a"], ["a1"]),
                node("MaxPool", ["a1"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
                node("Conv", ["p", weight("w1", 16, 8, 3, 3)], ["b"], pads=[1] * 4), node("Sigmoid", ["b"], ["b1"]), node("Mul", ["b", "b1"], ["b2"]),
                node("Resize", ["b2", "", weight("scales", values=np.array([1, 1, 2, 2], np.float32))], ["u"], mode="linear"),
                node("ConvTranspose", ["b2", weight("t", 16, 8, 2, 2)], ["v"], strides=[2, 2]),
                node("Concat", ["a1", "u", "v"], ["j"], axis=1),
                node("Slice", ["j", weight("from", values=ints(4)), weight("to", values=ints(28)), weight("along", values=ints(1))], ["s"]),
                node("Pad", ["s", weight("edges", values=ints(0, 0, 1, 0, 0, 0, 0, 2))], ["e"]),
                node("Conv", ["e", weight("w2", 9, 24, 3, 3)], ["c"]),
                node("Softmax", ["c"], ["y"], axis=1)]

    net("down_and_up", (2, 3, 8, 6), encoder_decoder)

    # Groups of many outputs and of few, a residual, PReLU, and a flattened end.
    def groups(weight):
        return [node("Conv", ["x", weight("w0", 32, 3, 7, 7)], ["c0"], pads=[3] * 4, strides=[2, 2]), node("Relu", ["c0"], ["r0"]),
                node("Conv", ["r0", weight("w1", 32, 16, 3, 3)], ["c1"], pads=[1] * 4, group=2), node("Add", ["c1", "r0"], ["s"]), node("Relu", ["s"], ["r1"]),
                node("Conv", ["r1", weight("w2", 32, 4, 3, 3)], ["c2"], pads=[2] * 4, dilations=[2, 2], group=8),
                node("PRelu", ["c2", weight("slope", 32, 1, 1)], ["p"]), node("Flatten", ["p"], ["y"])]

    net("groups_of_channels", (2, 3, 10, 7), groups)

    # Norms over the last dimension between transpositions, and of groups and planes.
    def norms(weight):
        return [node("Conv", ["x", weight("w0", 16, 3, 4, 4)], ["c0"], strides=[4, 4]),
                node("Conv", ["c0", weight("d", 16, 1, 7, 7)], ["c1"], pads=[3] * 4, group=16), node("Transpose", ["c1"], ["t"], perm=[0, 2, 3, 1]),
                node("LayerNormalization", ["t", weight("g0", 16), weight("o0", 16)], ["n"]),
                node("MatMul", ["n", weight("m0", 16, 24)], ["e"]), node("Gelu", ["e"], ["k"]), node("MatMul", ["k", weight("m1", 24, 16)], ["l"]),
                node("Transpose", ["l"], ["u"], perm=[0, 3, 1, 2]), node("Add", ["u", "c0"], ["s"]),
                node("GroupNormalization", ["s", weight("g1", 16), weight("o1", 16)], ["gn"], num_groups=4),
                node("InstanceNormalization", ["gn", weight("g2", 16), weight("o2", 16)], ["y"])]

    net("norms_between_convolutions", (2, 3, 16, 12), norms)

    # Norms of groups as exporters write them for want of an operator, with planes as rows, and of one group; instances in one dimension.
    def written_out(weight):
        def norm(of, to, groups, channels, key):
            return [node("Reshape", [of, weight(key + "cut", values=ints(0, groups, -1))], [key + "r"]),
                    node("InstanceNormalization", [key + "r", weight(key + "one", values=np.ones(groups, np.float32)), weight(key + "zero", values=np.zeros(groups, np.float32))], [key + "n"]),
                    node("Shape", [of], [key + "s"]), node("Reshape", [key + "n", key + "s"], [key + "b"]),
                    node("Mul", [key + "b", weight(key + "g", channels, 1, 1)], [key + "m"]), node("Add", [key + "m", weight(key + "o", channels, 1, 1)], [to])]

        return [node("Conv", ["x", weight("w0", 24, 3, 3, 3)], ["c0"], pads=[1] * 4), *norm("c0", "n0", 4, 24, "a"), node("Relu", ["n0"], ["r0"]),
                node("Conv", ["r0", weight("w1", 16, 24, 3, 3)], ["c1"], pads=[1] * 4, strides=[2, 2]), *norm("c1", "n1", 1, 16, "b"), node("Sigmoid", ["n1"], ["s1"]),
                node("Mul", ["n1", "s1"], ["r1"]), *norm("r1", "n2", 16, 16, "c"), node("Conv", ["n2", weight("w2", 8, 16, 1, 1)], ["y"])]

    net("norms_of_groups", (2, 3, 11, 13), written_out)
    net("norms_of_sequences", (2, 6, 70), lambda weight: [
        node("Conv", ["x", weight("w0", 16, 6, 3)], ["c0"]), node("InstanceNormalization", ["c0", weight("g", 16), weight("o", 16)], ["n"]), node("Gelu", ["n"], ["k"]),
        node("Conv", ["k", weight("w1", 16, 16, 3)], ["c1"]), node("GroupNormalization", ["c1", weight("g1", 16), weight("o1", 16)], ["y"], num_groups=2)])

    # Patches become tokens; boxes of a detector become rows.
    net("patches", (2, 3, 8, 12), lambda weight: [
        node("Conv", ["x", weight("w0", 24, 3, 4, 4), weight("b0", 24)], ["c"], strides=[4, 4]),
        node("Reshape", ["c", weight("flat", values=ints(0, 24, 6))], ["r"]), node("Transpose", ["r"], ["t"], perm=[0, 2, 1]),
        node("MatMul", ["t", weight("m", 24, 10)], ["y"])])
    net("boxes", (2, 3, 8, 8), lambda weight: [
        node("Conv", ["x", weight("w0", 12, 3, 3, 3)], ["c0"], pads=[1] * 4, strides=[2, 2]), node("Relu", ["c0"], ["r0"]),
        node("Resize", ["r0", "", weight("scales", values=np.array([1, 1, 2, 2], np.float32))], ["u"], mode="nearest"),
        node("Conv", ["u", weight("w1", 18, 12, 1, 1)], ["c1"]), node("Reshape", ["c1", weight("cut", values=ints(0, 3, 6, 8, 8))], ["q"]),
        node("Transpose", ["q"], ["t"], perm=[0, 1, 3, 4, 2]), node("Reshape", ["t", weight("rows", values=ints(0, -1, 6))], ["z"]),
        node("Sigmoid", ["z"], ["y"])])

    # Sequences.
    net("sequence", (2, 6, 50), lambda weight: [
        node("Conv", ["x", weight("w0", 16, 6, 10)], ["c0"], strides=[5]), node("Gelu", ["c0"], ["g0"]),
        node("Conv", ["g0", weight("w1", 16, 4, 3)], ["c1"], pads=[1, 1], group=4), node("Add", ["g0", "c1"], ["s"]),
        node("Conv", ["s", weight("w2", 20, 16, 3)], ["c2"], dilations=[2], pads=[4, 0]), node("Tanh", ["c2"], ["t"]),
        node("Transpose", ["t"], ["y"], perm=[0, 2, 1])], dynamic=("n", None, "t"))

    # A weight that is wider than one chunk of sums, with an activation that is no bound.
    net("deep", (1, 72, 6, 5), lambda weight: [
        node("Conv", ["x", weight("w0", 24, 72, 3, 3)], ["c0"], pads=[1] * 4), node("Sigmoid", ["c0"], ["s"]),
        node("Mul", ["c0", "s"], ["y"])], tolerance=1e-4)

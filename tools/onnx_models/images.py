# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes networks over images with random weights: the shapes of ResNet-50 and MobileNetV2, with the batch norms that exporters keep (`norms`)
or have folded into the convolutions. Input `image` [batch, 3, 224, 224], output `scores` [batch, 1000]."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    def __init__(self, norms, seed=0):
        self.norms, self.rng = norms, np.random.default_rng(seed)
        self.nodes, self.constants = [], []

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def node(self, op, inputs, **attributes):
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(self, x, channels, outputs, kernel, stride=1, groups=1):
        weight = self.rng.standard_normal((outputs, channels // groups, kernel, kernel)) * (channels // groups * kernel * kernel) ** -0.5
        of = lambda: self.rng.standard_normal(outputs) * 0.1
        inputs = [x, self.constant(weight)] + ([] if self.norms else [self.constant(of())])
        y = self.node("Conv", inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[kernel // 2] * 4, group=groups)
        if self.norms:
            parameters = [self.constant(v) for v in (1 + of(), of(), of(), 1 + np.abs(of()))]
            y = self.node("BatchNormalization", [y] + parameters)
        return y

    def save(self, path, x, channels, batch):
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x])])
        weight = self.constant(self.rng.standard_normal((1000, channels)) * channels**-0.5)
        self.nodes.append(helper.make_node("Gemm", [x, weight, self.constant(np.zeros(1000))], ["scores"], transB=1))
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, 224, 224])
        scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 1000])
        graph = helper.make_graph(self.nodes, "images", [image], [scores], self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def resnet50(path, batch="batch", norms=False):
    net = Network(norms)
    x = net.node("Relu", [net.conv("image", 3, 64, 7, 2)])
    x = net.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage and block == 0 else 1
            y = net.node("Relu", [net.conv(x, channels, width, 1)])
            y = net.node("Relu", [net.conv(y, width, width, 3, stride)])
            y = net.conv(y, width, 4 * width, 1)
            if block == 0:
                x = net.conv(x, channels, 4 * width, 1, stride)
            channels = 4 * width
            x = net.node("Relu", [net.node("Add", [y, x])])
    net.save(path, x, channels, batch)


def mobilenet_v2(path, batch="batch", norms=False):
    net = Network(norms)
    low, high = net.constant(0), net.constant(6)
    relu6 = lambda x: net.node("Clip", [x, low, high])
    x = relu6(net.conv("image", 3, 32, 3, 2))
    channels = 32
    for factor, width, count, first in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(count):
            stride, hidden = first if block == 0 else 1, channels * factor
            y = relu6(net.conv(x, channels, hidden, 1)) if factor > 1 else x
            y = relu6(net.conv(y, hidden, hidden, 3, stride, hidden))
            y = net.conv(y, hidden, width, 1)
            x = net.node("Add", [x, y]) if stride == 1 and channels == width else y
            channels = width
    net.save(path, relu6(net.conv(x, channels, 1280, 1)), 1280, batch)

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The engines beside which Ingot is measured: ONNX Runtime with its default optimizations and OpenVINO with its LATENCY hint, both on as many
threads as are asked for, both in f32 where the graph is, or OpenVINO in bf16. As a program it prepares one file and prints what that cost (see
`preparing`)."""
import json
import sys
import time


class OnnxRuntime:
    name = "ONNX Runtime"

    def __init__(self, path, threads, compute="f32"):
        import onnxruntime

        if compute != "f32":
            raise ValueError(f"multiplies the floats of a graph as they are, not as {compute}")
        onnxruntime.set_default_logger_severity(3)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.version = onnxruntime.__version__
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(self, feeds):
        return self.session.run(None, feeds)


class OpenVino:
    name = "OpenVINO"

    def __init__(self, path, threads, compute="f32"):
        import openvino

        self.version = openvino.__version__.split("-")[0]
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": compute}
        core = openvino.Core()
        self.model = core.compile_model(core.read_model(path), "CPU", settings)
        self.request = self.model.create_infer_request()

    def run(self, feeds):
        found = self.request.infer(feeds, share_inputs=True, share_outputs=True)
        return [found[output] for output in self.model.outputs]


RIVALS = (OnnxRuntime, OpenVino)


def peak():
    with open("/proc/self/status") as status:  # of this program alone; getrusage counts who started it
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def main(name, path, threads, compute):
    """Prints seconds from the file to something that can run, the processor's seconds for it, and by how much peak memory grew beyond Python's and the package's own."""
    rival = next(one for one in RIVALS if one.__name__ == name)
    __import__({"OnnxRuntime": "onnxruntime", "OpenVino": "openvino"}[name])
    before, start, spent = peak(), time.perf_counter(), time.process_time()
    rival(path, int(threads), compute)
    print(json.dumps({"seconds": time.perf_counter() - start, "spent": time.process_time() - spent, "bytes": peak() - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])

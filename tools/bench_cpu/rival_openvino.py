# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# OpenVINO GenAI: converted by optimum-intel (NNCF rounds to nearest: int8 per channel, int4 symmetric in groups of 128, or
# of 32 where 128 does not divide the width), run by its LLMPipeline with its defaults, products in what OpenVINO chooses
# for the processor.
import json

import worker


class Rival:
    @staticmethod
    def prepare(checkpoint, out, precision):
        from optimum.intel import OVModelForCausalLM, OVWeightQuantizationConfig
        if precision not in ("bf16", "int8", "int4"):
            raise SystemExit(f"{precision} is no form that it is converted to here: 16 bits as bf16, int8 by channel, int4 in groups")
        group = 128 if json.loads((checkpoint / "config.json").read_text())["hidden_size"] % 128 == 0 else 32
        config = {"bf16": None, "int8": OVWeightQuantizationConfig(bits=8, sym=True),
                  "int4": OVWeightQuantizationConfig(bits=4, sym=True, group_size=group, ratio=1.0)}[precision]
        model = OVModelForCausalLM.from_pretrained(checkpoint, export=True, compile=False,
                                                   **({"quantization_config": config} if config else {"load_in_8bit": False}))
        model.save_pretrained(out)
        tables = {}
        for op in model.model.get_ops():  # a table from which single rows are gathered is not read
            if op.get_type_name() == "Constant":
                tables[op.get_friendly_name()] = (op.get_byte_size(), readers(op))
        return sum(size for size, read in tables.values() if read - {"Gather"})

    def __init__(self, path, precision, threads, context):
        import numpy
        import openvino
        import openvino_genai
        self.numpy, self.openvino, self.genai = numpy, openvino, openvino_genai
        # No text is read or written: a tokenizer of no words does.
        self.pipeline = openvino_genai.LLMPipeline(str(path), "CPU", INFERENCE_NUM_THREADS=threads)

    def run(self, ids, new):
        config = self.genai.GenerationConfig(max_new_tokens=new, min_new_tokens=new, ignore_eos=True, do_sample=False)
        result = self.pipeline.generate(self.openvino.Tensor(self.numpy.array([ids], dtype=self.numpy.int64)), config)
        metrics = result.perf_metrics
        first = metrics.get_ttft().mean / 1e3
        return first, metrics.get_generate_duration().mean / 1e3 - first


def readers(op):
    """The types of operations that read a constant, through the conversions after it."""
    found = set()
    for output in op.outputs():
        for target in output.get_target_inputs():
            node = target.get_node()
            kind = node.get_type_name()
            found |= readers(node) if kind in ("Convert", "Multiply", "Subtract", "Reshape") and node.get_output_size() == 1 else {kind}
    return found


if __name__ == "__main__":
    worker.main(Rival)

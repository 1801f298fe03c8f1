# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# ONNX Runtime GenAI: its model builder writes the graph for the CPU provider (int8 and int4 round to nearest in groups of
# 32, activations in 8 bits), its Generator runs it. For a CPU the builder has no 16-bit form.
import os
import shutil
import subprocess
import sys
import time

import worker


class Rival:
    @staticmethod
    def prepare(checkpoint, out, precision):
        import onnx
        import tokenizers
        if precision not in ("int8", "int4"):
            raise SystemExit("the model builder writes f32, int8 and int4 for a CPU, no 16-bit form")
        model = out / "checkpoint"
        model.mkdir(parents=True, exist_ok=True)
        for file in checkpoint.iterdir():
            (model / file.name).unlink(missing_ok=True)
            os.link(file, model / file.name)
        # The builder wants a tokenizer, though no text is read or written.
        words = {char: i for i, char in enumerate(sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()))}
        tokenizers.Tokenizer(tokenizers.models.BPE(words, [])).save(str(model / "tokenizer.json"))
        (model / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
        subprocess.run([sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", model, "-o", out, "-p", precision, "-e", "cpu",
                        "-c", out / "cache", "--extra_options", "accuracy_level=4", "block_size=32"], check=True, stdout=sys.stderr)
        shutil.rmtree(model)
        graph = onnx.load(out / "model.onnx", load_external_data=False).graph
        gathered = {name for node in graph.node if node.op_type.startswith("Gather") for name in node.input}
        read = {name for node in graph.node if not node.op_type.startswith("Gather") for name in node.input}
        return sum(bytes_of(one) for one in graph.initializer if one.name in read or one.name not in gathered)

    def __init__(self, path, precision, threads, context):
        import onnxruntime_genai
        self.genai, self.length = onnxruntime_genai, context
        config = onnxruntime_genai.Config(str(path))
        config.overlay('{"model": {"decoder": {"session_options": {"intra_op_num_threads": %d}}}}' % threads)
        self.model = onnxruntime_genai.Model(config)

    def run(self, ids, new):
        params = self.genai.GeneratorParams(self.model)
        params.set_search_options(max_length=min(self.length, len(ids) + new), min_length=len(ids) + new, do_sample=False)
        generator = self.genai.Generator(self.model, params)
        start = time.perf_counter()
        generator.append_tokens(ids)
        generator.generate_next_token()
        first = time.perf_counter()
        for _ in range(new - 1):
            generator.generate_next_token()
        return first - start, time.perf_counter() - first


def bytes_of(tensor):
    import math
    for entry in tensor.external_data:
        if entry.key == "length":
            return int(entry.value)
    return len(tensor.raw_data) or 4 * math.prod(tensor.dims)


if __name__ == "__main__":
    worker.main(Rival)

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A decoder in ONNX, from one file, beside ONNX Runtime GenAI and OpenVINO: a random checkpoint (tools/make-checkpoint) that ONNX Runtime GenAI's
builder exports in f32, or with MatMulNBits of 8 or 4 bits whose activations are 8 bits. Tokens/s of a prompt and of writing, each engine in a
process of its own, in turns. As a program it measures OpenVINO."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools/bench_cpu"))

SHAPES = {"15m": ("15m", ["--context", "1024"]), "1b": ("llama-3.2-1b", [])}


class Rival:
    """OpenVINO, in the form that tools/bench_cpu/worker.py measures: past and present are made its state."""

    def __init__(self, path, precision, threads, context):
        import numpy
        import openvino
        from openvino._offline_transformations import apply_make_stateful_transformation

        self.numpy, core = numpy, openvino.Core()
        model = core.read_model(str(path / "model.onnx"))
        head = json.loads((path / "genai_config.json").read_text())["model"]["decoder"]["head_size"]
        shapes = {}
        for one in model.inputs:  # the builder leaves batch and width of a head open; a state begins with as much as is known
            shape = [dim.get_length() if dim.is_static else -1 for dim in one.partial_shape]
            shapes[one.any_name] = openvino.PartialShape([1, *shape[1:-1], head] if len(shape) == 4 else [1, *shape[1:]])
        model.reshape(shapes)
        past = [name for name in shapes if name.startswith("past")]
        apply_make_stateful_transformation(model, {name: name.replace("past_key_values", "present") for name in past})
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self.request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.positions = "position_ids" in shapes

    def run(self, ids, new):
        self.request.reset_state()
        total, first, start = 0, None, time.perf_counter()
        for _ in range(new):
            places, total = range(total, total + len(ids)), total + len(ids)
            feeds = {"input_ids": [ids], "attention_mask": [[1] * total], **({"position_ids": [places]} if self.positions else {})}
            found = self.request.infer({name: self.numpy.array(value, self.numpy.int64) for name, value in feeds.items()}, share_outputs=True)
            ids = [int(found["logits"][0, -1].argmax())]
            first = first or time.perf_counter()
        return first - start, time.perf_counter() - first


def made(arguments, precision):
    """The folder of the exported model; made once for each shape and precision."""
    folder = pathlib.Path(arguments.dir) / f"{arguments.shape}-{precision}"
    if (folder / "genai_config.json").exists():
        return folder
    name, options = SHAPES[arguments.shape]
    checkpoint = pathlib.Path(arguments.dir) / f"{arguments.shape}-checkpoint"
    if not (checkpoint / "config.json").exists():
        subprocess.run([ROOT / "tools/make-checkpoint", "--shape", name, *options, "-o", checkpoint], check=True)
    import tokenizers

    # The builder wants a tokenizer, though no text is read or written.
    words = {char: i for i, char in enumerate(sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()))}
    tokenizers.Tokenizer(tokenizers.models.BPE(words, [])).save(str(checkpoint / "tokenizer.json"))
    (checkpoint / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    # A table of embeddings of its own: tied to a head of 4 bits it is no input that OpenVINO takes.
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", checkpoint, "-o", folder, "-p", {"f32": "fp32"}.get(precision, precision),
               "-e", "cpu", "-c", folder / "cache", "--extra_options", "accuracy_level=4", "block_size=32", "shared_embeddings=false"]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(os.environ, PYTHONPATH=arguments.builder_path or os.environ.get("PYTHONPATH", "")))
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return folder


def times(arguments):
    import running
    import timing

    pathlib.Path(arguments.dir).mkdir(parents=True, exist_ok=True)
    for precision in arguments.precisions:
        try:
            folder = made(arguments, precision)
        except subprocess.CalledProcessError as error:
            print(f"{precision}: no model: {' '.join(map(str, error.cmd))[:200]} ended with {error.returncode}", flush=True)
            continue
        engine = f"{folder}.ingot"
        print(f"{arguments.shape}, {precision}: ", end="")
        timing.preparing(str(folder / "model.onnx"), engine, arguments.threads)
        vocabulary = json.loads((folder / "genai_config.json").read_text())["model"]["vocab_size"]
        common = ["--threads", str(arguments.threads)]

        def own(prompt, new):
            command = [os.path.join(running.BIN, "ingot-run"), "bench", engine, "--json", "--repeat", "1", *common, "--prompt-tokens", str(prompt),
                       "--new-tokens", str(new), "--context", str(arguments.prompt + arguments.decode + 64)]
            return json.loads(timing.prepared(command)[-1])

        def ingot():
            return [own(arguments.prompt, 2)["prefill_tokens_per_second"], own(32, arguments.decode + 1)["decode_tokens_per_second"]]

        def rival(script):
            command = [sys.executable, str(script), "speed", str(folder), precision, "--vocabulary", str(vocabulary), *common, "--prompt",
                       str(arguments.prompt), "--decode-prompt", "32", "--decode", str(arguments.decode), "--seed", "0"]
            found = json.loads(timing.prepared(command)[-1].splitlines()[-1])
            return [found["prefill_tokens_per_second"], found["decode_tokens_per_second"]]

        engines = {"Ingot": ingot, "ONNX Runtime GenAI": lambda: rival(ROOT / "tools/bench_cpu/rival_onnxruntime.py"), "OpenVINO": lambda: rival(__file__)}
        found = {name: [] for name in engines}
        for _ in range(arguments.rounds):
            for name, measure in list(engines.items()):
                try:
                    found[name].append(measure())
                except RuntimeError as error:
                    print(f"{name}: {error}", flush=True)
                    del engines[name], found[name]
        for number, what in enumerate((f"a prompt of {arguments.prompt}", f"{arguments.decode} tokens after 32")):
            each = {name: statistics.median(run[number] for run in runs) for name, runs in found.items()}
            if "Ingot" not in each:
                return 1
            told = [f"{name} {value:.1f}" + ("" if name == "Ingot" else f" ({each['Ingot'] / value:.2f} times as fast)") for name, value in each.items()]
            print(f"{arguments.shape}, {precision}, {what}, tokens/s: {'; '.join(told)}", flush=True)
    return 0


if __name__ == "__main__":
    import worker

    worker.main(Rival)

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles decoders that exporters wrote (test/e2e/onnx/decoders, made by tools/oracle/make-decoder-exports and make-fixed-cache-exports) and compares their logits
# with those that ONNX Runtime gave for the same tokens; a prompt in one step, and in steps of a few tokens; and, where it was recorded, the
# answer to a prompt when the likeliest token is always taken. Of each it is checked that
# attention, rotary embeddings and norms became one op each.
#   check_decoders.py --ingot INGOT --ingot-run INGOT_RUN [--device cuda] FOLDER PATTERN
import argparse
import json
import lzma
import pathlib
import subprocess
import sys
import tempfile

import support

# Norms of two layers and the last one, and rotations of queries and keys of two layers.
FAMILIES = {
    "llama": ("rotary embedding 4", "RMS norm 5", "SiLU 2"),
    "qwen2": ("rotary embedding 4", "RMS norm 5", "SiLU 2"),
    "qwen3": ("rotary embedding 4", "RMS norm 9", "SiLU 2"),
    "mistral": ("rotary embedding 4", "RMS norm 5", "SiLU 2"),
    "phi3": ("rotary embedding 4", "RMS norm 5", "SiLU 2"),
    "hunyuan": ("rotary embedding 4", "RMS norm 9", "SiLU 2"),
    "apertus": ("rotary embedding 4", "RMS norm 9"),
    "olmo3": ("rotary embedding 4", "RMS norm 9", "SiLU 2"),
    "exaone4": ("rotary embedding 2", "RMS norm 9", "SiLU 2"),  # none where all positions are seen
    "nemotron": ("rotary embedding 4", "layer norm 5"),
    "gemma2": ("rotary embedding 4", "RMS norm 9", "GELU (tanh) 2"),
    "glm": ("rotary embedding 4", "RMS norm 5", "SiLU 2"),
    "cohere": ("rotary embedding 4", "layer norm 3", "SiLU 2"),
    "stablelm": ("rotary embedding 4", "layer norm 5", "SiLU 2"),
    "phi": ("rotary embedding 4", "layer norm 3", "GELU (tanh) 2"),
    "neox": ("rotary embedding 4", "layer norm 5", "GELU 2"),
    "gptj": ("rotary embedding 4", "layer norm 3", "GELU (tanh) 2"),
    "codegen": ("rotary embedding 4", "layer norm 3", "GELU (tanh) 2"),
    "falcon": ("rotary embedding 4", "layer norm 3", "GELU 2"),
    "gpt2": ("layer norm 5", "GELU (tanh) 2"),
    "opt": ("layer norm 5",),
    "mpt": ("layer norm 5", "GELU 2"),
    "bloom": ("layer norm 6", "GELU (tanh) 2"),
    "t5": ("RMS norm 5",),
    "fixed-torch": ("rotary embedding 4", "RMS norm 5", "SiLU 2"),
    "fixed-scatter": (),
    "fixed-grouped": ("rotary embedding 4",),
}


def main():
    parser = argparse.ArgumentParser()
    for option in ("--ingot", "--ingot-run", "--cache", "--work"):
        parser.add_argument(option)
    parser.add_argument("--device", default="cpu", help="cuda: the simulated device")
    parser.add_argument("folder")
    parser.add_argument("pattern")
    options = parser.parse_args()
    failures = checked = 0
    for packed in sorted(pathlib.Path(options.folder).glob(f"{options.pattern}.onnx.xz")):
        name = packed.name.removesuffix(".onnx.xz")
        family = next(f for f in sorted(FAMILIES, key=len, reverse=True) if name.startswith(f))
        checked += 1
        with tempfile.TemporaryDirectory() as place:
            problems = check(options, packed, family, pathlib.Path(place))
        for problem in problems:
            print(f"{name}: {problem}")
        failures += bool(problems)
    print(f"{checked} decoders, {failures} failed")
    return 1 if failures or not checked else 0


def check(options, packed, family, place):
    ingot, ingot_run = options.ingot, options.ingot_run
    name = packed.name.removesuffix(".onnx.xz")
    model, engine = place / f"{name}.onnx", place / f"{name}.ingot"
    model.write_bytes(lzma.decompress(packed.read_bytes()))
    said = subprocess.run([ingot, "check", model], capture_output=True, text=True)
    if said.returncode:
        return [said.stderr.strip()]
    lines = dict(line.split(None, 1) for line in said.stdout.splitlines() if " " in line)
    found = {what.split(" ", 1)[1]: int(what.split(" ", 1)[0]) for what in lines["graph"].strip().split(", ")}
    problems = []
    if found.get("attention") != 2 or "softmax" in found or "no decoder" in said.stdout:
        problems.append(f"not all attention was found: {said.stdout}")
    for wanted in FAMILIES[family]:
        what, count = wanted.rsplit(" ", 1)
        if found.get(what) != int(count):
            problems.append(f"found {found.get(what)} {what}, expected {count}")
    compiled = subprocess.run([ingot, "compile", model, "-o", engine, "--quiet", *(["--target=cpu,cuda:simulated"] if options.device == "cuda" else [])],
                              capture_output=True, text=True)
    if compiled.returncode:
        return problems + [compiled.stderr.strip()]
    facts = json.loads(packed.with_name(f"{name}.json").read_text())
    ids, out = place / "ids.npy", place / "out.npy"
    support.write_npy_i32(ids, facts["ids"])
    expected = support.floats(packed.with_name(f"{name}.f32").read_bytes())
    largest = max(map(abs, expected))
    # Sums of f32 in another order differ by some 1e-6 of the largest logit (the largest seen: 8e-6). With 4-bit weights ONNX Runtime rounds
    # rows of activations to 8 bits, or not, as its processor has it: 1/127 for each of some products.
    # On a GPU elementary functions differ too (see cuda/device_agrees.py).
    tolerance = (5e-2 if name.endswith("int4") else 3e-5 if options.device == "cpu" else 1e-4) * largest
    device = ["--device", options.device]
    # Longrope's angles follow from how long a sequence is in a step.
    for steps in ([],) if "-long-" in name else ([], ["--chunk", "5"]):
        run = subprocess.run([ingot_run, "logits", engine, "--tokens", ids, "-o", out] + steps + device, capture_output=True, text=True)
        if run.returncode:
            return problems + [run.stderr.strip()]
        logits = support.read_npy_f32(out)[0]
        if len(logits) != len(expected):
            return problems + [f"{len(logits)} logits, expected {len(expected)}"]
        worst = max(abs(a - b) for a, b in zip(logits, expected))
        if not worst <= tolerance:
            problems.append(f"logits {' '.join(steps)} differ by {worst:.3g}, expected at most {tolerance:.3g}")
    if "answer" in facts:
        run = subprocess.run([ingot_run, "generate", engine, "--ids", ",".join(map(str, facts["prompt"])), "-n", str(len(facts["answer"])), "--greedy",
                              "--ignore-eos", "--json", *device], capture_output=True, text=True)
        if run.returncode:
            return problems + [run.stderr.strip()]
        if json.loads(run.stdout)["ids"] != facts["answer"]:
            problems.append(f"answered {json.loads(run.stdout)['ids']}, expected {facts['answer']}")
    return problems


if __name__ == "__main__":
    sys.exit(main())

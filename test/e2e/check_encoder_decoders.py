# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles encoder-decoders that exporters wrote (test/e2e/onnx/encoder-decoders, made by tools/oracle/make-encoder-decoder-exports), an encoder's and
# a decoder's file together, and compares the decoder's logits with those that ONNX Runtime gave for the same source and tokens: in one step, and in
# steps of a few tokens beside another sequence; then what follows the start token where the likeliest is taken, alone and among others.
# With --program the C API answers too, and what cannot be is refused. --device=cuda runs all of it on the simulated device.
#   check_encoder_decoders.py --ingot INGOT --ingot-run INGOT_RUN [--program capi_source] FOLDER [FAMILY...]
import argparse
import json
import lzma
import pathlib
import struct
import subprocess
import sys
import tempfile

import support

# Attention: of two encoder layers, and of each decoder layer to its tokens and to the source.
ATTENTION = {"t5-gated": 8}


def main():
    parser = argparse.ArgumentParser()
    for option in ("--ingot", "--ingot-run", "--cache", "--work"):
        parser.add_argument(option)
    parser.add_argument("--program")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("folder")
    parser.add_argument("families", nargs="*")
    options = parser.parse_args()
    failures = checked = 0
    for facts in sorted(pathlib.Path(options.folder).glob("*.json.xz")):
        name = facts.name.removesuffix(".json.xz")
        if options.families and name not in options.families:
            continue
        checked += 1
        with tempfile.TemporaryDirectory() as place:
            problems = check(options, facts, name, pathlib.Path(place))
        for problem in problems:
            print(f"{name}: {problem}")
        failures += bool(problems)
    print(f"{checked} encoder-decoders, {failures} failed")
    return 1 if failures or not checked else 0


def write_features(path, features):
    shape = features["shape"]
    header = str({"descr": "<f4", "fortran_order": False, "shape": tuple(shape)})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = [quarter / 4 for quarter in features["quarters"]]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}f", *values))


def check(options, packed, name, place):
    ingot, ingot_run = options.ingot, options.ingot_run
    facts = json.loads(lzma.decompress(packed.read_bytes()))
    # As checkpoints say how a decoder's text begins.
    (place / "config.json").write_text(json.dumps({"decoder_start_token_id": facts["start"], "max_position_embeddings": 32}))
    for kind in ("encoder", "decoder"):
        (place / f"{kind}_model.onnx").write_bytes(lzma.decompress(packed.with_name(f"{name}.{kind}.onnx.xz").read_bytes()))
    engine = place / f"{name}.ingot"
    said = subprocess.run([ingot, "check", place], capture_output=True, text=True)
    if said.returncode:
        return [said.stderr.strip()]
    problems = []
    lines = dict(line.split(None, 1) for line in said.stdout.splitlines() if " " in line)
    found = {what.split(" ", 1)[1]: int(what.split(" ", 1)[0]) for what in lines["graph"].strip().split(", ")}
    if found.get("attention") != ATTENTION.get(name, 6) or "softmax" in found or "no decoder" in said.stdout:
        return [f"not all attention was found: {said.stdout}"]
    targets = ["--target=cpu,cuda:simulated"] if options.device == "cuda" else []
    compiled = subprocess.run([ingot, "compile", place, "-o", engine, "--quiet", *targets], capture_output=True, text=True)
    if compiled.returncode:
        return [compiled.stderr.strip()]
    source = place / "source.npy"
    if "features" in facts:
        write_features(source, facts["features"])
    else:
        support.write_npy_i32(source, facts["source"])
    ids, out = place / "ids.npy", place / "out.npy"
    support.write_npy_i32(ids, facts["ids"])
    expected = support.floats(packed.with_name(f"{name}.f32").read_bytes())
    # Sums of f32 in another order differ by some 1e-6 of the largest logit; on a GPU elementary functions do too (see cuda/device_agrees.py).
    tolerance = (3e-5 if options.device == "cpu" else 1e-4) * max(map(abs, expected))
    device = ["--device", options.device]
    for steps in ([], ["--chunk", "5", "--mix", ids]):
        run = subprocess.run([ingot_run, "logits", engine, "--tokens", ids, "--source", source, "-o", out] + steps + device, capture_output=True, text=True)
        if run.returncode:
            return [run.stderr.strip()]
        logits = support.read_npy_f32(out)[0]
        if len(logits) != len(expected):
            return [f"{len(logits)} logits, expected {len(expected)}"]
        worst = max(abs(a - b) for a, b in zip(logits, expected))
        if not worst <= tolerance:
            problems.append(f"logits {' '.join(map(str, steps))} differ by {worst:.3g}, expected at most {tolerance:.3g}")
    if "source" in facts:
        prompt = ["--ids", ",".join(map(str, facts["source"]))]
    else:
        prompt = ["--source", source]
    run = subprocess.run([ingot_run, "generate", engine, *prompt, "-n", str(len(facts["answer"])), "--greedy", "--ignore-eos", "--json", *device],
                         capture_output=True, text=True)
    if run.returncode:
        return problems + [run.stderr.strip()]
    if json.loads(run.stdout)["ids"] != facts["answer"]:
        problems.append(f"answered {json.loads(run.stdout)['ids']}, expected {facts['answer']}")
    if options.program and "source" in facts:
        run = subprocess.run([options.program, engine, prompt[1], str(len(facts["answer"]))], capture_output=True, text=True)
        if run.returncode or run.stdout.strip() != ",".join(map(str, facts["answer"])):
            problems.append(f"the C API answered {run.stdout.strip()} {run.stderr.strip()}, expected {facts['answer']}")
        problems += refusals(ingot_run, engine, prompt)
    return problems


def refusals(ingot_run, engine, prompt):
    """What cannot be, and the words that say so."""
    problems = []
    for arguments, words in ((["chat", engine], "what that reads cannot be given here"),
                             (["bench", engine], "what that reads cannot be given here"),
                             (["generate", engine, "--ids", ",".join(["5"] * 33)], "the source has 33 positions, but 32 were planned"),
                             (["generate", engine, *prompt, "--decoder-prompt", "x"], "has no tokenizer; give what the answer begins with"),
                             (["logits", engine, "--tokens", "TOKENS", "-o", "OUT"], "reads a source with its encoder, and none is given")):
        place = pathlib.Path(engine).parent
        arguments = [place / "ids.npy" if a == "TOKENS" else place / "none.npy" if a == "OUT" else a for a in arguments]
        run = subprocess.run([ingot_run, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if run.returncode == 0 or words not in run.stderr:
            problems.append(f"{arguments[0]} ended with {run.returncode} and said: {run.stderr.strip()}; expected: {words}")
    return problems


if __name__ == "__main__":
    sys.exit(main())

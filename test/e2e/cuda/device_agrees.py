# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a model for the CPU and the simulated CUDA device and compares what both give.

  device_agrees.py text INGOT INGOT_RUN OUT --model DIR --new N [compile options]
      the text of one prompt, of a prompt of many rows, and of three prompts at once
  device_agrees.py schedule INGOT INGOT_RUN OUT DIR [compile options]
      text and reasons of ends where a step is given before the ids of the last are known: drawn tokens, penalties, stop
      strings, and a cache so small that sequences are preempted
  device_agrees.py deterministic INGOT INGOT_RUN OUT DIR [compile options]
      bits of logits with --deterministic: alone and beside another sequence
  device_agrees.py logits INGOT INGOT_RUN OUT DIR [compile options]
      the logits of 70 ids: more rows than kernels for few rows serve; with products and cache in f32, then as asked for
"""
import array
import json
import struct
import subprocess
import sys

# Sums have another order on a GPU: of 64 to 256 products of each layer in f32, in 2 to 6 layers. Logits of these models are
# below 32 in size; through layers of f32 products differences stay below 1e-4.
F32 = 2e-4

PROMPT = "Once upon a time there was a king who had a son"
LONG = " ".join([PROMPT] * 8)


def run(*command):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}: status {result.returncode}\n{result.stderr}")
    return result.stdout


def read_npy(path):
    data = open(path, "rb").read()
    length = struct.unpack("<H", data[8:10])[0]
    values = array.array("f")
    values.frombytes(data[10 + length:])
    return values


def compare_text(ingot, ingot_run, out, options):
    new = options[options.index("--new") + 1]
    model = options[options.index("--model") + 1]
    rest = [o for o in options if o.startswith("--") and "=" in o]
    run(ingot, "compile", model, "-o", out, "--target=cpu,cuda:simulated", "--quiet", *rest)
    prompts = out + ".prompts"
    with open(prompts, "w") as file:
        file.write("The king\nA dog ran to\nThere were three\n")
    for arguments in (["--prompt", PROMPT], ["--prompt", LONG], ["--prompts", prompts]):
        both = [run(ingot_run, out, "--greedy", "-n", new, *arguments, device)
                for device in ("--device=cpu", "--device=cuda")]
        if both[0] != both[1]:
            sys.exit(f"{model} {rest} {arguments[0]}:\n  CPU: {both[0]!r}\n  GPU: {both[1]!r}")


def compare_schedule(ingot, ingot_run, out, model, *options):
    run(ingot, "compile", model, "-o", out, "--target=cpu,cuda:simulated", "--quiet", *options)
    prompts = out + ".prompts"
    with open(prompts, "w") as file:
        file.write("The king\nA dog ran to\nThere were three\nOnce\n")
    arguments = ["--prompts", prompts, "--temperature", "0.8", "--seed", "23", "--frequency-penalty", "0.5", "--json",
                 "--context", "48", "--kv-memory", "64K", "-n", "34", "--stop", "time", "--stop", "king", "--verbose"]
    both = []
    for device in ("cpu", "cuda"):
        command = [ingot_run, out, *arguments, "--device=" + device]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            sys.exit(result.stderr)
        stories = [json.loads(line) for line in result.stdout.splitlines()]
        both.append([{k: v for k, v in story.items() if k != "timings"} for story in stories])
        told = result.stderr.strip().splitlines()[-1]
        print(device, told, [(len(s["ids"]), s["finish_reason"]) for s in stories])
    if both[0] != both[1]:
        sys.exit(f"CPU: {both[0]}\nGPU: {both[1]}")


def write_ids(path, count):
    values = [(i * 7 + 3) % 90 for i in range(count)]
    header = "{'descr': '<i4', 'fortran_order': False, 'shape': (%d,), }" % count
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(array.array("i", values).tobytes())


def logits_of(ingot, ingot_run, out, model, options, devices):
    run(ingot, "compile", model, "-o", out, "--target=cpu,cuda:simulated", "--quiet", *options)
    ids = out + ".npy"
    write_ids(ids, 70)
    found = []
    for device in devices:
        run(ingot_run, "logits", out, "--tokens", ids, "-o", out + "." + device, "--device=" + device)
        found.append(read_npy(out + "." + device))
    return found


def distance(a, b):
    if len(a) != len(b):
        sys.exit(f"{len(a)} logits against {len(b)}")
    return max(abs(x - y) for x, y in zip(a, b))


def compare_logits(ingot, ingot_run, out, model, *options):
    weights = [option for option in options if option.startswith("--weights")]
    exact = weights + ["--activations=float" if weights else "--compute=f32", "--kv=f32"]
    reference, gpu = logits_of(ingot, ingot_run, out, model, exact, ["cpu", "cuda"])
    most = distance(reference, gpu)
    print(f"{model} in f32: logits differ by {most:.3g} at most, {F32} allowed")
    if not most <= F32:
        sys.exit(1)
    # As the model comes: activations and cache are rounded, and what falls to the other side of a rounding moves on. CPU and
    # GPU are each as far from the logits in f32 as rounding takes them, so at most twice that from each other.
    cpu, gpu = logits_of(ingot, ingot_run, out, model, options, ["cpu", "cuda"])
    allowed = max(F32, 2 * distance(reference, cpu))
    most = distance(cpu, gpu)
    print(f"{model} {' '.join(options)}: logits differ by {most:.3g} at most, {allowed:.3g} allowed")
    if not most <= allowed:
        sys.exit(1)


def check_deterministic(ingot, ingot_run, out, model, *options):
    run(ingot, "compile", model, "-o", out, "--target=cpu,cuda:simulated", "--quiet", *options)
    write_ids(out + ".npy", 5)
    write_ids(out + ".mix.npy", 13)

    def logits(*arguments):
        run(ingot_run, "logits", out, "--tokens", out + ".npy", "-o", out + ".out", "--device=cuda", *arguments)
        return open(out + ".out", "rb").read()

    alone = logits("--deterministic")
    mixed = ["--mix", out + ".mix.npy"]
    if logits("--deterministic", *mixed) != alone:
        sys.exit(f"{model} {options}: with --deterministic another sequence changes bits")
    # 5 rows and 18 are summed by different kernels.
    if logits() == logits(*mixed):
        sys.exit("few rows and many give the same bits without --deterministic: the test shows nothing")


if sys.argv[1] == "deterministic":
    check_deterministic(*sys.argv[2:])
elif sys.argv[1] == "schedule":
    compare_schedule(*sys.argv[2:])
elif sys.argv[1] == "text":
    compare_text(*sys.argv[2:5], sys.argv[5:])
else:
    compare_logits(*sys.argv[2:])

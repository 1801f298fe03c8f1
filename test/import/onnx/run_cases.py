# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles and runs the models of a list that tools/oracle/make-onnx-cases recorded, and compares their outputs.

    run_cases.py --ingot BIN --ingot-run BIN --work DIR [--device DEVICE] LIST.json [REGEX of names]

Floats differ by at most the case's tolerance (1e-4 where it has none) times 1 + the largest expected value, integers that stand for
quantized numbers by one. Runs that a case says are refused must fail, and tell why.
"""
import argparse
import base64
import json
import math
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "runtime"))
import npy  # noqa: E402

CODES = {"float32": "f4", "float64": "f8", "float16": "f2", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
         "int64": "i8", "uint64": "u8", "bool": "b1"}


def values_of(tensor):
    data = base64.b64decode(tensor["data"])
    code = CODES[tensor["type"]]
    return code, list(struct.unpack(f"<{math.prod(tensor['shape'])}{npy.CODES[code]}", data))


def write(path, tensor):
    code, values = values_of(tensor)
    npy.write(path, code, tuple(tensor["shape"]), values)


def wrong(expected, path, tolerance):
    code, a = values_of(expected)
    got, shape, b = npy.read(path)
    if got != code or list(shape) != expected["shape"]:
        return f"{got} {list(shape)} instead of {code} {expected['shape']}"
    real = code[0] == "f"
    limit = tolerance * (1 + max((abs(v) for v in a if math.isfinite(v)), default=0)) if real else 1 if code in ("i1", "u1", "i2", "u2") else 0
    for i, (want, have) in enumerate(zip(a, b)):
        if want == have or (real and math.isnan(want) and math.isnan(have)):
            continue
        if (real and not (math.isfinite(want) and math.isfinite(have))) or not abs(want - have) <= limit:
            return f"element {i} is {have} instead of {want}"
    return ""


def main():
    parser = argparse.ArgumentParser()
    for option in ("--ingot", "--ingot-run", "--work"):
        parser.add_argument(option, required=True)
    parser.add_argument("--device", default="cpu", help="cuda: the simulated device")
    parser.add_argument("list")
    parser.add_argument("regex", nargs="?", default="")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    with open(args.list, encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    target = [] if args.device == "cpu" else ["--target=cpu,cuda:simulated"]
    bad = run = 0
    for case in cases:
        if not re.search(args.regex, case["name"]):
            continue
        run += 1
        at = lambda name: os.path.join(args.work, name)
        with open(at("model.onnx"), "wb") as file:
            file.write(base64.b64decode(case["model"]))
        command = [args.ingot_run, "infer", at("model.ingot"), "--device", args.device]
        for name, tensor in case["inputs"].items():
            write(at(f"in.{name}.npy"), tensor)
            command += ["--input", f"{name}={at(f'in.{name}.npy')}"]
        for name in case["outputs"]:
            command += ["--output", f"{name}={at(f'out.{name}.npy')}"]
        problem = ""
        if "graph" in case:
            done = subprocess.run([args.ingot, "check", at("model.onnx")], capture_output=True, text=True, check=False)
            if f"graph       {case['graph']}\n" not in done.stdout:
                problem = f"check does not say that it is {case['graph']}: {done.stdout}{done.stderr}"
        for step in ([args.ingot, "compile", at("model.onnx"), "-o", at("model.ingot"), "--padding=keep", *target], command):
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                problem = f"{step[1]} exits with {done.returncode}: {(done.stderr or done.stdout).strip()[:500]}"
                break
        if not problem:
            problem = "; ".join(f"{name}: {why}" for name, tensor in case["outputs"].items()
                                if (why := wrong(tensor, at(f"out.{name}.npy"), case.get("tolerance", 1e-4))))
        for refused in [] if problem else case.get("refused", []):
            for name, shape in refused["shapes"].items():
                code = CODES[case["inputs"][name]["type"]]
                npy.write(at(f"in.{name}.npy"), code, tuple(shape), [0] * math.prod(shape))
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 1 or not re.search(refused["message"], done.stderr):
                problem = f"{refused['shapes']}: exits with {done.returncode} instead of being refused: {done.stderr.strip()[:500]}"
        if problem:
            print(f"{case['name']}: {problem}")
            bad += 1
    print(f"{run - bad} of {run} cases agree")
    return 1 if bad or not run else 0


if __name__ == "__main__":
    sys.exit(main())

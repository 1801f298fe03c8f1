# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles and runs recorded ONNX models (onnx/cases.json: backend tests, made by tools/oracle/record-onnx-backend-tests; onnx/padding.json:
encoders, made by tools/oracle/record-padding-cases), and compares outputs with those that are expected, within the tests' tolerances. Where a
case says whether padding is dropped or kept, `ingot check` must say so too; its options are given to both.

    check_onnx.py --ingot BIN --ingot-run BIN --work DIR [--device cuda] CASES.json
"""
import argparse
import base64
import gzip
import json
import math
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "runtime"))
import npy  # noqa: E402

parser = argparse.ArgumentParser()
for option in ("--ingot", "--ingot-run", "--work"):
    parser.add_argument(option, required=True)
parser.add_argument("--cache")
parser.add_argument("--device", default="cpu", help="cuda: the first GPU, which may be the simulated one")
parser.add_argument("cases")
args = parser.parse_args()
work = pathlib.Path(args.work)
work.mkdir(parents=True, exist_ok=True)


def near(got, want, rtol, atol):
    if math.isnan(want) or math.isinf(want):
        return got == want or (math.isnan(want) and math.isnan(got))
    return abs(got - want) <= atol + rtol * abs(want)


def difference(case):
    """Why a case does not hold; "" where it does."""
    packed = case.get("model_gz")
    (work / "model.onnx").write_bytes(gzip.decompress(base64.b64decode(packed)) if packed else base64.b64decode(case["model"]))
    options = case.get("options", [])
    if "padding" in case:
        done = subprocess.run([args.ingot, "check", f"{work}/model.onnx", *options], capture_output=True, text=True)
        if f"padding     {case['padding']}" not in done.stdout:
            return f"check does not say that padding is {case['padding']}: {done.stdout}{done.stderr}"
    target = ["--target=cpu,cuda:simulated"] if args.device != "cpu" else []
    done = subprocess.run([args.ingot, "compile", f"{work}/model.onnx", "-o", f"{work}/model.ingot", "--quiet", *options, *target], capture_output=True,
                          text=True)
    if done.returncode:
        return f"compile: {done.returncode}: {done.stderr}"
    command = [args.ingot_run, "infer", f"{work}/model.ingot", "--device", args.device]
    for i, (name, content) in enumerate(case["inputs"].items()):
        (work / f"in{i}.npy").write_bytes(base64.b64decode(content))
        command += ["--input", f"{name}={work}/in{i}.npy"]
    for i, (name, content) in enumerate(case["outputs"].items()):
        (work / f"want{i}.npy").write_bytes(base64.b64decode(content))
        command += ["--output", f"{name}={work}/out{i}.npy"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return f"infer: {done.returncode}: {done.stderr}"
    for i, name in enumerate(case["outputs"]):
        kind, shape, want = npy.read(work / f"want{i}.npy")
        got_kind, got_shape, got = npy.read(work / f"out{i}.npy")
        if (kind, shape) != (got_kind, got_shape):
            return f"output {name} is {got_kind} {got_shape}; expected {kind} {shape}"
        for at, (x, y) in enumerate(zip(got, want)):
            if not near(x, y, case["rtol"], case["atol"]):
                return f"element {at} of output {name} is {x}; expected {y}"
    return ""


failures = 0
cases = json.loads(pathlib.Path(args.cases).read_text())
for case in cases:
    wrong = difference(case)
    failures += bool(wrong)
    if wrong:
        print(f"{case['name']}: {wrong}")
print(f"{len(cases) - failures} of {len(cases)} cases hold")
sys.exit(bool(failures))

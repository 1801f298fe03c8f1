# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles ONNX files that are wrong (onnx/broken.json, by tools/oracle/make-onnx-errors): each is refused with status 1, and with these problems and no others.

    check_onnx.py --ingot BIN --work DIR CASES.json
"""
import argparse
import base64
import json
import pathlib
import re
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--ingot", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("cases")
args = parser.parse_args()
work = pathlib.Path(args.work)
work.mkdir(parents=True, exist_ok=True)


def wrong(case):
    (work / "model.onnx").write_bytes(base64.b64decode(case["model"]))
    done = subprocess.run([args.ingot, "compile", "model.onnx", "-o", "model.ingot", "--quiet"], cwd=work, capture_output=True, text=True)
    told = [line[4:] for line in done.stderr.splitlines() if line.startswith("  - ")]
    if done.returncode != 1 or len(told) != len(case["problems"]):
        return f"status {done.returncode}, {len(told)} problems in place of {len(case['problems'])}: {done.stderr}"
    for problem in case["problems"]:
        if not any(re.search(problem, line) for line in told):
            return f"expected '{problem}': {done.stderr}"
    return ""


cases = json.loads(pathlib.Path(args.cases).read_text())
failures = 0
for case in cases:
    what = wrong(case)
    failures += bool(what)
    if what:
        print(f"{case['name']}: {what}")
print(f"{len(cases) - failures} of {len(cases)} cases hold")
sys.exit(bool(failures))

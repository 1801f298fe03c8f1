# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the model of a recorded case: write_case.py LIST.json NAME FILE.onnx"""
import base64
import json
import sys

cases = json.load(open(sys.argv[1], encoding="utf-8"))["cases"]
model = next(case["model"] for case in cases if case["name"] == sys.argv[2])
with open(sys.argv[3], "wb") as file:
    file.write(base64.b64decode(model))

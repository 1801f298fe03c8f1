#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# check_story.py CAPI_STORY ENGINE GOLDEN: what the program prints is the golden greedy text.
import json
import subprocess
import sys

story, engine, golden = sys.argv[1:]
for case in json.load(open(golden))["greedy"]:
    done = subprocess.run([story, engine, case["prompt"], str(len(case["greedy_ids"]))], capture_output=True, text=True)
    if done.returncode != 0 or done.stdout != case["text"] + "\n":
        sys.exit(f"{case['prompt']!r}: status {done.returncode} {done.stderr}\nexpected {case['text']!r}\nfound    {done.stdout!r}")
print("OK")

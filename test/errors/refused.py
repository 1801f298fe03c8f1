#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Runs `ingot check` and `ingot compile` on a model that must be refused: both exit with status 1 and name the same
# problems, and no engine nor any part of one is left. Prints what compile said, for FileCheck.
#   refused.py --ingot BIN --work DIR MODEL [compile options]
import argparse
import pathlib
import shutil
import subprocess
import sys


def run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 1:
        sys.exit(f"FAIL exit status {done.returncode}, expected 1, of: {command}\n{done.stderr.decode(errors='replace')}")
    if done.stdout and command[1] == "compile":
        sys.exit(f"FAIL compile printed to stdout: {done.stdout[:500]}")
    return done.stderr.decode(errors="replace")


def errors(text):
    return [line for line in text.splitlines() if line.startswith(("error", "  - "))]


def main():
    parser = argparse.ArgumentParser(description="checks that a model is refused")
    parser.add_argument("--ingot", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("model")
    args, options = parser.parse_known_args()
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    said = run([args.ingot, "compile", args.model, "-o", args.work / "out.ingot", "--quiet"] + options)
    checked = run([args.ingot, "check", args.model] + options)
    if errors(said) != errors(checked):
        sys.exit(f"FAIL check and compile name different problems.\ncheck:\n{checked}\ncompile:\n{said}")
    left = sorted(file.name for file in args.work.iterdir())
    if left:
        sys.exit(f"FAIL a refused compile left {left}")
    print(said, end="")


if __name__ == "__main__":
    main()

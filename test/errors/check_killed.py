#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Kills `ingot compile` (SIGKILL) at several moments: no part of a file may stand under the engine's name, an engine that
# stood there before must be untouched, and a rerun in the same folder must give the same bytes as an undisturbed compile.
#   check_killed.py --ingot BIN --ingot-run BIN --work DIR MODEL
import argparse
import pathlib
import shutil
import subprocess
import sys
import time


def main():
    parser = argparse.ArgumentParser(description="kills a compile at several moments")
    parser.add_argument("--ingot", required=True)
    parser.add_argument("--ingot-run", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("model")
    args = parser.parse_args()
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    engine, reference = args.work / "out.ingot", args.work / "reference.ingot"

    def command(output):
        return [args.ingot, "compile", args.model, "-o", str(output), "--quiet"]

    started = time.monotonic()
    subprocess.run(command(reference), check=True)
    whole = time.monotonic() - started
    killed = 0
    for part in (0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99):
        child = subprocess.Popen(command(engine), stderr=subprocess.DEVNULL)
        try:
            child.wait(timeout=part * whole)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if not engine.exists():
            killed += 1
            continue
        # It had ended, or was killed between renaming the whole file and its end.
        if engine.read_bytes() != reference.read_bytes():
            sys.exit(f"FAIL killed after {part:.0%} of the time, {engine} is no whole engine")
        engine.unlink()
    if killed < 3:
        sys.exit(f"FAIL only {killed} of 8 compiles were killed before they ended")
    engine.write_text("older")
    child = subprocess.Popen(command(engine), stderr=subprocess.DEVNULL)
    time.sleep(0.3 * whole)
    child.kill()
    child.wait()
    if engine.read_text() != "older":
        sys.exit("FAIL a killed compile changed the engine that stood there before")
    subprocess.run(command(engine), check=True)
    if engine.read_bytes() != reference.read_bytes():
        sys.exit("FAIL the rerun differs from an undisturbed compile")
    subprocess.run([args.ingot_run, "check", str(engine)], check=True, stdout=subprocess.DEVNULL)
    print(f"OK {killed} compiles killed")


if __name__ == "__main__":
    main()

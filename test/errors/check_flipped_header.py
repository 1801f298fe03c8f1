#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Flips bits of a checkpoint's safetensors header, one at a time: `ingot check` must refuse each copy with exit status 1
# and name the file or a tensor, unless the flip changed nothing that counts (metadata). It must never crash.
#   check_flipped_header.py --ingot BIN --work DIR [--bytes N] [--step N] MODEL
import argparse
import pathlib
import shutil
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(description="flips bits of a safetensors header")
    parser.add_argument("--ingot", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--bytes", type=int, default=400, help="so many bytes from the start of the file")
    parser.add_argument("--step", type=int, default=1, help="every so many bits")
    parser.add_argument("model", type=pathlib.Path)
    args = parser.parse_args()
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    shutil.copyfile(args.model / "config.json", args.work / "config.json")
    whole = (args.model / "model.safetensors").read_bytes()
    refused = 0
    for bit in range(0, 8 * args.bytes, args.step):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        (args.work / "model.safetensors").write_bytes(data)
        done = subprocess.run([args.ingot, "check", str(args.work)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = done.stderr.decode(errors="replace")
        if done.returncode not in (0, 1) or (done.returncode == 1 and "model.safetensors" not in said
                                             and "tensor" not in said):
            sys.exit(f"FAIL bit {bit % 8} of byte {bit // 8} flipped: exit status {done.returncode}: {said[-1000:]}")
        refused += done.returncode
    tried = len(range(0, 8 * args.bytes, args.step))
    if refused < tried // 2:
        sys.exit(f"FAIL only {refused} of {tried} flipped headers were refused")
    print(f"OK {refused} of {tried} refused")


if __name__ == "__main__":
    main()

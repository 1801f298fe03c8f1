#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Damages an engine in many places: every section at its first, middle and last byte, and files cut at many lengths.
# Each program must refuse it with exit status 1 and one error that names the file, and never crash.
#   check_damage.py --ingot BIN --ingot-run BIN --work DIR ENGINE
import argparse
import pathlib
import random
import subprocess
import sys

from engine_file import ENTRY, HEADER, Engine

FAILURES = []


def expect(condition, text):
    if not condition:
        FAILURES.append(text)
        print("FAIL " + text)


def run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def refused(command, where, names):
    """The command must fail as for a damaged file; returns what it said."""
    status, out, err = run(command)
    verb = " ".join(str(part) for part in command[1:2])
    expect(status == 1, f"{where}: {verb}: exit status {status}, expected 1: {err[-300:]}")
    expect(not out, f"{where}: {verb}: printed {out[:100]!r} to stdout")
    expect("error" in err and err.count("\n") <= 2, f"{where}: {verb}: expected one error, found: {err[-500:]}")
    for name in names:
        expect(name in err, f"{where}: {verb}: the message does not say {name}: {err[-500:]}")
    return err


def main():
    parser = argparse.ArgumentParser(description="damages an engine in many places")
    parser.add_argument("--ingot", required=True)
    parser.add_argument("--ingot-run", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("engine", type=pathlib.Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    damaged = args.work / "damaged.ingot"
    sound = Engine(args.engine)
    generate = [args.ingot_run, damaged, "--prompt", "Once upon", "-n", "4", "--greedy"]
    status, _, err = run([args.ingot_run, args.engine] + generate[2:])
    if status != 0:
        sys.exit(f"FAIL the engine does not run before it is damaged: {err}")

    def flip(offset):
        data = bytearray(sound.data)
        data[offset] ^= 1 << offset % 8
        damaged.write_bytes(data)

    for name, (offset, size) in sound.sections.items():
        for at in sorted({offset, offset + size // 2, offset + size - 1}):
            where = f"a flipped bit in {name}, byte {at - offset} of {size}"
            flip(at)
            refused(generate, where, [damaged.name, name])
            refused([args.ingot_run, "check", "--weights", damaged], where, [damaged.name, name])
            refused([args.ingot, "inspect", damaged], where, [damaged.name, name])
            if name == "HEAD":
                refused([args.ingot_run, "check", damaged], where, [damaged.name, name])
    # Magic, version, count, size, checksum, a reserved word; then every field of every row of the table.
    for at in [0, 7, 8, 11, 12, 16, 23, 24, 32, 63] + list(range(HEADER, HEADER + ENTRY * sound.count, 3)):
        where = f"a flipped bit in byte {at}, {'the header' if at < HEADER else 'the section table'}"
        flip(at)
        refused(generate, where, [damaged.name])
        refused([args.ingot_run, "check", damaged], where, [damaged.name])
    # Anywhere: the bytes between sections must be zero.
    dice = random.Random(1)
    inside = sorted((offset, offset + size) for offset, size in sound.sections.values())
    gaps = [end for (_, end), (begin, _) in zip(inside, inside[1:]) if begin > end]
    for at in gaps + sorted(dice.randrange(len(sound.data)) for _ in range(20)):
        flip(at)
        refused(generate, f"a flipped bit in byte {at}", [damaged.name])
    # Cut short: in the header, in the table, at every section's begin, middle and last byte.
    lengths = {0, 1, 8, 63, HEADER, HEADER + 1, HEADER + ENTRY * sound.count}
    for begin, end in inside:
        lengths |= {begin, (begin + end) // 2, end - 1}
    for length in sorted(lengths):
        damaged.write_bytes(sound.data[:length])
        refused(generate, f"cut to {length} bytes", [damaged.name])
    damaged.unlink()
    if FAILURES:
        sys.exit(f"FAIL {len(FAILURES)} findings")
    print(f"OK {len(sound.sections)} sections")


if __name__ == "__main__":
    main()

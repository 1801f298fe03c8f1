#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# check_output.py INGOT_RUN ENGINE: a full disk behind standard output is told; a reader that went away ends the program
# in silence; Ctrl-C ends it cleanly and soon.
import os
import signal
import subprocess
import sys
import time

ingot_run, engine = sys.argv[1:]
generate = [ingot_run, engine, "--ids", "1,2,3", "--greedy", "--ignore-eos", "--json"]


def expect(condition, what):
    if not condition:
        sys.exit(f"check_output.py: {what}")


with open("/dev/full", "w") as full:
    done = subprocess.run(generate, stdout=full, stderr=subprocess.PIPE, text=True)
expect(done.returncode == 1, f"status {done.returncode} with a full output")
expect(done.stderr == "ingot-run: error: cannot write to standard output: No space left on device\n", done.stderr)

read, write = os.pipe()
os.close(read)
done = subprocess.run(generate, stdout=write, stderr=subprocess.PIPE, text=True)
os.close(write)
expect(done.returncode == 1 and done.stderr == "", f"status {done.returncode} without a reader: {done.stderr!r}")

for number in (signal.SIGINT, signal.SIGTERM):
    long = subprocess.Popen([ingot_run, "bench", engine, "--new-tokens", "100", "--repeat", "1000"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.3)
    expect(long.poll() is None, "the benchmark ended before it could be interrupted")
    long.send_signal(number)
    out, err = long.communicate(timeout=20)
    expect(long.returncode == 130, f"status {long.returncode} after an interrupt: {out}{err}")
    expect(out == "", f"output after an interrupt: {out}")
print("OK")

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Running programs within the time that is left.
import os
import pathlib
import signal
import subprocess
import sys
import time


class Failure(Exception):
    """What went wrong, in a sentence."""


class Skipped(Exception):
    """Why something was not done."""


def told(text):
    print(f"gpu-check: {text}", file=sys.stderr, flush=True)


class Clock:
    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        return self.end - time.monotonic()


def run(command, log, clock, most=None, env=None, expect=0):
    """Runs a program, its output appended to `log`, and gives what it wrote to standard output. Fails where it does, where it
    takes more than `most` seconds, or more than the clock has left."""
    command = [str(part) for part in command]
    allowed = min(most or 1e9, clock.left())
    if allowed < 1:
        raise Skipped("no time is left")
    started = time.monotonic()
    with open(log, "a") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        at = file.tell()
        try:
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True, errors="replace",
                                     start_new_session=True, env=dict(os.environ, **(env or {})))
        except OSError as error:
            raise Failure(f"{command[0]} does not start: {error.strerror}")
        try:
            out, _ = child.communicate(timeout=allowed)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, _ = child.communicate()
            file.write(out)
            raise Failure(f"{pathlib.Path(command[0]).name} was stopped after {allowed:.0f} s; see {log.name}")
        file.write(f"{out}\n[{child.returncode} after {time.monotonic() - started:.1f} s]\n")
    if child.returncode != expect:
        said = open(log, errors="replace").read()[at:].strip().splitlines()
        raise Failure(f"{pathlib.Path(command[0]).name} ended with {child.returncode}: " + " | ".join(said[-4:])[-600:])
    return out

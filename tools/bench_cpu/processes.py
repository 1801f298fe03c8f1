# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Running a program and knowing what it cost: seconds, peak memory, the moment of its first line.
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failure(Exception):
    """What went wrong, in a sentence."""


def told(text):
    print(f"bench-cpu: {text}", file=sys.stderr, flush=True)


class Process:
    """A finished program: seconds, seconds to its first line of output, peak resident bytes (its own or of one of its
    children, whichever is more) and output. Fails on any exit status but 0, with the end of what it said."""

    def __init__(self, command, timeout=None, environment=None):
        command = [str(part) for part in command]
        self.out, self.first_line, late = "", None, []
        with tempfile.TemporaryFile() as err:
            started = time.monotonic()
            # A session of its own, so that what it has started ends with it.
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, start_new_session=True,
                                     env=dict(os.environ, **(environment or {})))

            def stop():
                late.append(True)
                os.killpg(child.pid, signal.SIGKILL)

            timer = threading.Timer(timeout, stop) if timeout else None
            if timer:
                timer.start()
            try:
                for line in child.stdout:
                    self.first_line = self.first_line or time.monotonic() - started
                    self.out += line.decode(errors="replace")
                _, status, usage = os.wait4(child.pid, 0)
            except BaseException:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                raise
            finally:
                if timer:
                    timer.cancel()
            self.seconds = time.monotonic() - started
            child.returncode = os.waitstatus_to_exitcode(status)
            self.peak = usage.ru_maxrss * 1024
            err.seek(0)
            said = err.read().decode(errors="replace")
        if late:
            raise Failure(f"was not done within {timeout} s")
        if child.returncode != 0:
            lines = [line.strip() for line in said.splitlines() if line.strip()] or [f"exit status {child.returncode}"]
            named = [line for line in lines if "error" in line.lower()] or lines
            raise Failure(named[-1][-300:])

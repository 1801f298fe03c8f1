# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A program on a pseudo-terminal: what it shows, waiting for it, keys. Standard library only.
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from support import Failure


class Terminal:
    """Runs `command` with a terminal as its standard input, error and, unless `out` is a file, output."""

    def __init__(self, command, environment=None, out=None, columns=100):
        self.text = ""  # all that was shown
        self.seen = 0  # up to where `wait` has looked
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            for name in ("NO_COLOR", "EDITRC"):
                os.environ.pop(name, None)
            os.environ.update({"TERM": "xterm", "LC_ALL": "C", "HOME": "/nonexistent", **(environment or {})})
            if out is not None:
                os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.execv(str(command[0]), [str(part) for part in command])
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, seconds):
        """Takes what is shown within `seconds`; False once the program has closed its terminal."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def wait(self, pattern, seconds=60):
        """Waits until something that matches is shown after what was waited for last; returns the text up to its end."""
        limit = time.monotonic() + seconds
        alive = True
        while True:
            match = re.compile(pattern).search(self.text, self.seen)
            if match:
                shown = self.text[self.seen:match.end()]
                self.seen = match.end()
                return shown
            if not alive or time.monotonic() > limit:
                raise Failure(f"waited for {pattern!r}, found {self.text[self.seen:]!r} after {self.text[:self.seen][-200:]!r}")
            alive = self.read(0.1)

    def type(self, text):
        os.write(self.master, text.encode())

    def interrupt(self):
        self.type("\x03")

    def signal(self, number):
        os.kill(self.pid, number)

    def end(self, seconds=60):
        """The exit status, once the program has ended."""
        limit = time.monotonic() + seconds
        while self.read(0.1) and time.monotonic() < limit:
            pass
        while time.monotonic() < limit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.master)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise Failure(f"the program did not end; it showed {self.text[-500:]!r}")

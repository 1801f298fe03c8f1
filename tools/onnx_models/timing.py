# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Milliseconds of a run beside the rivals', alternating in one call, and what preparing a file costs each: seconds and peak memory. A rival that
refuses a file is told with its reason and left out."""
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import rivals
import running


def sessions(path, threads, without=(), compute="f32"):
    """What takes the file; reasons of those that do not are printed."""
    taken = []
    for rival in rivals.RIVALS:
        if rival.name in without:
            continue
        try:
            taken.append(rival(path, threads, compute))
        except Exception as error:  # noqa: BLE001: whatever it refuses, and packages that are absent
            print(f"{rival.name}: does not take the model: {' '.join(str(error).split())[:200]}", flush=True)
    return taken


# Runs a program and prints its seconds, those of the processor, peak bytes and exit status, each on a line of its own. Linux counts the memory of the process that starts a
# program as the program's, so that a large one cannot measure a small one: this is small.
MEASURING = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
status, usage = os.wait4(child, 0)[1:]
print("", time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status), sep="\\n")
"""


def prepared(command):
    """Seconds, the processor's seconds and peak bytes of a program, and what it printed."""
    done = subprocess.run([sys.executable, "-S", "-c", MEASURING, *command], capture_output=True, text=True, check=True)
    *out, seconds, spent, peak, status = done.stdout.splitlines()
    if int(status):
        raise RuntimeError(" ".join(done.stderr.split())[-300:] or f"exit status {status}")
    return float(seconds), float(spent), int(peak), "\n".join(out).rstrip()


def preparing(path, engine, threads, options=(), busy=False, compute="f32"):
    """Compiles the engine, and prints what that took beside the creation of each rival's session: seconds (with `busy` the processor's), and megabytes of peak memory (for the
    rivals beyond what Python and their package take)."""
    compiler = [os.path.join(running.BIN, "ingot"), "compile", path, "-o", engine, "--quiet", *options]
    try:
        seconds, spent, peak, _ = prepared(compiler)
    except RuntimeError as error:
        sys.exit(str(error))
    told = [f"Ingot {spent if busy else seconds:.1f} s, {peak / 1e6:.0f} MB"]
    for rival in rivals.RIVALS:
        try:
            *_, out = prepared([sys.executable, rivals.__file__, rival.__name__, path, str(threads), compute])
            cost = json.loads(out.splitlines()[-1])
            told.append(f"{rival.name} {cost['spent' if busy else 'seconds']:.1f} s, {cost['bytes'] / 1e6:.0f} MB")
        except RuntimeError:
            continue  # `sessions` tells why
    print(f"preparing{', seconds of the processor' if busy else ''}, and peak memory: {'; '.join(told)}", flush=True)


def ours(engine, threads, inputs, repeat):
    """Milliseconds of a run, of ingot-run bench: the median of its runs; and the processor's seconds that all of it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = subprocess.run([os.path.join(running.BIN, "ingot-run"), "bench", engine, "--threads", str(threads), "--repeat", str(repeat), *inputs],
                             capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(re.search(r"^run\s+([0-9.]+) ms", printed.stdout + printed.stderr, re.M).group(1)), spent


RUNS = 5  # of each engine in a round


def beside(what, engine, feeds, taken, arguments, folder):
    """Rounds of all, one after the other; prints medians of milliseconds and how many times as fast Ingot is. With `busy` milliseconds are the
    processor's, which other programs of the machine take less from: of a round's runs together, of Ingot by the difference of two calls."""
    inputs = []
    for number, (name, value) in enumerate(feeds.items()):
        np.save(f"{folder}/fed{number}.npy", value)
        inputs += ["--input", f"{name}={folder}/fed{number}.npy"]
    times = {None: [], **{rival: [] for rival in taken}}
    for _ in range(arguments.rounds):
        for rival in taken:
            rival.run(feeds)
            whole = time.process_time()
            for _ in range(RUNS):
                start = time.perf_counter()
                rival.run(feeds)
                if not arguments.busy:
                    times[rival].append((time.perf_counter() - start) * 1e3)
            if arguments.busy:
                times[rival].append((time.process_time() - whole) / RUNS * 1e3)
        median, spent = ours(engine, arguments.threads, inputs, 1 + RUNS)
        if arguments.busy:
            median = (spent - ours(engine, arguments.threads, inputs, 1)[1]) / RUNS * 1e3
        times[None].append(median)
    own = statistics.median(times.pop(None))
    told = [f"{rival.name} {rival.version} {statistics.median(each):.1f} ms, {statistics.median(each) / own:.2f} times as fast" for rival, each in times.items()]
    print(f"{what}: {own:.1f} ms{' of the processor' if arguments.busy else ''}; {'; '.join(told)}", flush=True)

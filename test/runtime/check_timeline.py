# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks a timeline of --profile=FILE.json against the Chrome trace event format: complete events ("ph": "X") with a
time and a duration in microseconds, tracks with a name, and on each track no event that overlaps the one before."""
import argparse
import json


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True, help="runs of entries that the timeline must hold")
    args = parser.parse_args()
    with open(args.file) as file:
        events = json.load(file)["traceEvents"]

    names = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    assert names == {**{w: f"worker {w}" for w in range(args.threads)}, args.threads: "runs"}, names
    complete = [e for e in events if e["ph"] == "X"]
    assert len(complete) == len(events) - len(names) - 1, "an event is neither complete nor the name of a track"
    assert all(e["ts"] >= 0 and e["dur"] >= 0 and e["pid"] == 1 for e in complete)
    for track in names:
        mine = sorted((e for e in complete if e["tid"] == track), key=lambda e: e["ts"])
        for before, after in zip(mine, mine[1:]):  # times are rounded to a nanosecond
            assert after["ts"] >= before["ts"] + before["dur"] - 0.0015, (before, after)

    runs = [e for e in complete if e["cat"] == "run"]
    assert len(runs) == args.runs, f"{len(runs)} runs, expected {args.runs}"
    launches = [e for e in complete if e["cat"] == "launch"]
    assert {e["args"]["step"] for e in launches} == set(range(args.runs))
    assert all(e["name"] and e["args"]["kernel"] and e["args"]["variant"] for e in launches)
    for run in runs:
        for e in launches:
            if e["args"]["step"] == run["args"]["step"]:
                inside = run["ts"] - 0.0015 <= e["ts"] and e["ts"] + e["dur"] <= run["ts"] + run["dur"] + 0.0015
                assert inside, (run, e)
    if args.threads > 1:
        assert any(e["cat"] == "barrier" for e in complete), "no wait at a barrier"


main()

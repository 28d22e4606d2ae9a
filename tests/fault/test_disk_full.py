#!/usr/bin/env python3
"""A disk that fills up, at many sizes: the run ends with exit 1 and a clear word, no file appears half-written, and after making room the same command
gives the reference's bytes without asking twice for what was recorded. On a real small tmpfs; skipped where mounting is not permitted."""
import ctypes, os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 400
libc = ctypes.CDLL(None, use_errno=True)


def mount(where, kib, flags=0):
    rc = libc.mount(b"none", where.encode(), b"tmpfs", flags, b"size=%dk,nr_inodes=4096" % kib)
    return rc == 0


def umount(where):
    libc.umount2(where.encode(), 2)


disk = path("disk", "x")[:-2]
if not mount(disk, 1024):
    skip("mounting a tmpfs is not permitted here: %s" % os.strerror(ctypes.get_errno()))
atexit.register(umount, disk)
MS_REMOUNT = 32

# Texts that do not compress, so that every file is in play; two columns of them make data and ledger outgrow the disk at different sizes.
import random
rnd = random.Random(7)
noise = lambda n: "".join(rnd.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(n))
rows = write_rows("p.jsonl", [{"prompt": "Question %d? %s" % (i, noise(500))} for i in range(N)])
recipe = write("r.yaml", "quern: 1\nparams:\n  rows: {type: path}\n  m: {type: model}\nsteps:\n  - read_rows: {path: $rows}\n  - ask: {model: $m, prompt: '{{ .prompt }}'}\n"
        "  - keep: {where: '.prompt | test(\"[0-4][?]\")', why: digit}\n  - write: {to: data.jsonl}\n")
mock = Mock()
reference = Run(recipe, "rows=" + rows, "--model", "m=" + mock.url)
equal(reference.code, 0, "reference: %s" % reference.stderr)
FILES = ["data.jsonl", "rejected.jsonl"]
want = {f: reference.data(f) for f in FILES}

full = through = 0
where_it_failed = set()
for kib in [40, 96, 160, 240, 300, 340, 380, 420, 460, 520, 600, 700, 800, 950, 1100, 1300, 1500, 4000, 12000]:
    umount(disk)
    check(mount(disk, kib), "mount again")
    mock = Mock()           # a ledger knows a model by its address: every size has a server of its own
    args = [recipe, "rows=" + rows, "--model", "m=" + mock.url]
    first = Run(*args, out=disk + "/out")
    for f in FILES:         # L5: whole or not at all
        if os.path.exists(disk + "/out/" + f):
            equal(bytes_of(disk, "out", f) == want[f], True, "%s on a disk of %d KiB is whole" % (f, kib))
    if first.code == 0:
        through += 1
        equal(first.summary["rows"]["accepted"], reference.summary["rows"]["accepted"], "rows")
        mock.stop()
        continue
    full += 1
    equal(first.code, 1, "exit code on a disk of %d KiB: %s" % (kib, first.stderr))
    last = [line for line in first.stderr.splitlines() if line.startswith("quern: ")][-1]
    check("No space left" in last or "disk is full" in last or "full" in last, "the message says so (%d KiB): %s" % (kib, first.stderr))
    where_it_failed.add(last.split(":")[1].strip().split("/")[-1])
    check(not [f for f in os.listdir(disk + "/out") if f.endswith(".part")], "no part stays behind", os.listdir(disk + "/out"))
    check(mount(disk, 1 << 16, MS_REMOUNT), "make room: %s" % os.strerror(ctypes.get_errno()))
    asked = len(mock.requests())
    again = Run(*args, out=disk + "/out")
    equal(again.code, 0, "with room (%d KiB before): %s" % (kib, again.stderr))
    for f in FILES:
        check(again.data(f) == want[f], "%s after a disk of %d KiB has the reference's bytes" % (f, kib))
    s = again.summary
    equal(s["calls"]["sent"] + s["calls"]["replayed"], N, "sent and replayed")
    check(len(mock.requests()) <= N + s["interrupted_in_flight"], "%d KiB: %d requests for %d rows, %d were in flight" % (kib, len(mock.requests()), N, s["interrupted_in_flight"]))
    adds_up(s)
    mock.stop()
check(full >= 5 and through >= 1, "sizes on both sides: %d full, %d through" % (full, through))
print("%d full disks, %d large enough; failed at: %s" % (full, through, ", ".join(sorted(where_it_failed))))

#!/usr/bin/env python3
"""Runs the mill's benchmarks and writes docs/results_mill.md from what they print: chat rows beside aiohttp, rows through pure steps, table questions with
every answer confirmed by Python's own SQLite, start-up, and a build from clean. Usage: bench/bench_mill.py [--no-build]   (about 4 minutes)"""
import datetime, json, os, platform, shutil, sqlite3, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QUERN = os.path.join(ROOT, "build", "quern")
TABLES = os.path.join(os.path.dirname(ROOT), "shared", "data", "wikitablequestions", "train_tables.jsonl.gz")
os.chdir(ROOT)


def lines_of(*argv):
    out = subprocess.run(argv, capture_output=True, check=True, timeout=900).stdout.decode()
    sys.stderr.write(out)
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def same(a, b):
    return a == b or (isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a - b) <= 1e-9 * max(1, abs(a)))


def table_qa():
    tables = TABLES if os.path.exists(TABLES) else "examples/tables"
    with tempfile.TemporaryDirectory() as tmp:
        out = subprocess.run([QUERN, "run", "table_qa", "tables=" + tables, "-o", tmp, "--json"], capture_output=True, check=True, timeout=900).stdout
        s, n, good = json.loads(out), 0, 0
        db = sqlite3.connect(os.path.join(tmp, "tables.db"))
        for line in open(os.path.join(tmp, "data.jsonl"), encoding="utf-8"):
            r = json.loads(line)
            got = [v for row in db.execute(r["sql"]) for v in row]
            n += 1
            good += len(got) == len(r["answer"]) and all(same(a, b) for a, b in zip(sorted(got, key=str), sorted(r["answer"], key=str)))
        n_tables = db.execute("select count(*) from sqlite_master where type = 'table'").fetchone()[0]
        return {"tables": n_tables, "rows": n, "confirmed": good, "in": s["rows"]["in"], "seconds": s["seconds"], "cpu": s["cpu_seconds"],
                "peak_mb": s["peak_memory_bytes"] / 1e6}


def start_up():
    times = []
    for _ in range(40):
        t = time.perf_counter()
        subprocess.run([QUERN, "version"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - t)
    return sorted(times)[len(times) // 2] * 1000


def build():
    if "--no-build" in sys.argv:
        return None
    shutil.rmtree("build-clean", ignore_errors=True)
    t = time.time()
    subprocess.run(["make", "-s", "-j2", "B=build-clean", "all"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
    t = time.time() - t
    shutil.rmtree("build-clean", ignore_errors=True)
    return t


built = build()
chat = lines_of(sys.executable, "bench/bench_chat.py")
rows = lines_of(sys.executable, "bench/bench_rows.py")
tq, ms = table_qa(), start_up()
by = {(c["case"], c["client"]): c for c in chat}
cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
load = os.getloadavg()[0]
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True).stdout.decode().strip()
out = ["# Figures of the mill", "",
       "Written by `make bench-mill` (bench/bench_mill.py) on %s at commit %s: %s, %d cores, load average %.1f at the end. Peers ran in the same run."
       % (datetime.date.today(), commit, cpu, os.cpu_count(), load), "",
       "| what | quern | aiohttp |", "|---|---|---|"]
q, a = by["quick", "quern"], by["quick", "aiohttp"]
out += ["| 10,000 chat rows, server at 0 ms, 256 in flight: rows per CPU-second of the client | **%d** (ledger on) | %d |" % (q["rows_per_cpu_second"], a["rows_per_cpu_second"]),
        "| the same: seconds, peak memory | %.2f s, %.0f MB | %.2f s, %.0f MB |" % (q["seconds"], q["peak_memory_bytes"] / 1e6, a["seconds"], a["peak_memory_bytes"] / 1e6)]
q, a = by["slow", "quern"], by["slow", "aiohttp"]
out += ["| 10,000 chat rows, server at 1,000 ms, 1,000 in flight (ideal 10 s) | **%.2f s**, %.0f MB | %.2f s, %.0f MB |" % (q["seconds"], q["peak_memory_bytes"] / 1e6, a["seconds"], a["peak_memory_bytes"] / 1e6)]
out += ["", "| what | figure |", "|---|---|"]
for r in rows:
    out.append("| %s rows (%s MB) through keep, template, write, `--memory 256M` | %.0f rows per CPU-second, %.0f rows/s, peak %.0f MB |"
               % (format(r["rows"], ","), r["mb"], r["rows"] / r["cpu_seconds"], r["rows_per_second"], r["peak_mb"]))
out += ["| `table_qa` on %d tables, no model | %d rows of %d tried in %.1f s (%.1f CPU-s), peak %.0f MB; **%d of %d answers confirmed** by another SQLite client |"
        % (tq["tables"], tq["rows"], tq["in"], tq["seconds"], tq["cpu"], tq["peak_mb"], tq["confirmed"], tq["rows"]),
        "| `quern version` | %.1f ms |" % ms]
if built:
    out.append("| `make -j2` from clean | %.0f s |" % built)
open("docs/results_mill.md", "w").write("\n".join(out) + "\n")
print("\n".join(out))
assert tq["confirmed"] == tq["rows"], "an answer was not confirmed"

#!/usr/bin/env python3
"""Curation beside its peers, one table, one run: MinHash deduplication (rensa, datasketch), ROUGE-L novelty (rapidfuzz, rouge-score), Gopher's filters
(datatrove). Writes docs/results_curation.md.

usage: bench/bench_curation.py [--mb 200] [--datasketch-mb 20] [--gb 0] [--only-gb] [--rounds 3] [--no-write]
  --gb N     also deduplicates a set of N GB under --memory 512M (needs 2.3 N GB of disk in $TMPDIR); without it the line of an earlier such run stays
  --only-gb  nothing but that; its line is put into the table that is there
Peers live in deps/peers-curation, made on the first run. Speeds are per CPU-second of the process (all its threads), best of --rounds for quern and rensa, in turns,
and of one for other peers; a busy machine changes them less than seconds of the clock; figures of one kind ran one after the other. Results are checked before a speed is reported."""
import argparse, datetime, json, os, platform, random, re, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import curation_sets as sets

ROOT, OVER = sets.ROOT, 0.7
QUERN, VENV = os.environ.get("QUERN", ROOT + "/build/quern"), ROOT + "/deps/peers-curation"
PEERS = "rensa==0.5.0 datasketch==2.0.0 rapidfuzz==3.14.6 rouge-score==0.1.2 datatrove==0.10.1 spacy==3.8.18 numpy"
o = argparse.ArgumentParser()
o.add_argument("--mb", type=float, default=200)
o.add_argument("--datasketch-mb", type=float, default=20)
o.add_argument("--gb", type=float, default=0)
o.add_argument("--only-gb", action="store_true")
o.add_argument("--rounds", type=int, default=3)
o.add_argument("--no-write", action="store_true")
o = o.parse_args()


def say(text): print(text, file=sys.stderr, flush=True)


def peer(script, *args):
    out = subprocess.run([VENV + "/bin/python", ROOT + "/bench/peers/" + script, *map(str, args)], capture_output=True, timeout=3600)
    assert out.returncode == 0, out.stderr.decode()[-2000:]
    return json.loads(out.stdout.decode().strip().splitlines()[-1])


def peak_until_end(p):
    """The most memory that process p held, as the kernel counts it from exec on (what wait4 says counts the parent's, too), asked 50 times a second."""
    peak = 0
    while True:
        with open("/proc/%d/status" % p.pid) as f: peak = next((int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM")), peak)
        try: p.wait(0.02)
        except subprocess.TimeoutExpired: continue
        return peak


def busy_seconds():
    """What all processes of this machine have used of its processors so far, and what was taken away from it."""
    ticks = list(map(int, open("/proc/stat").readline().split()[1:9]))
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def quern_dedup(rows, tmp, workers, memory):
    for old in ("/kept.jsonl", "/rejected.jsonl"):      # a new file each time: to free the blocks of one that is replaced is the file system's work
        if os.path.exists(tmp + old): os.remove(tmp + old)
    before = busy_seconds()
    with open(tmp + "/said", "w+") as said:
        p = subprocess.Popen([QUERN, "apply", "dedup_minhash", "text=.text", "over=%g" % OVER, "hashes=128", "shingle=5", rows, "-o", tmp + "/kept.jsonl",
                              "--rejected", tmp + "/rejected.jsonl", "--json", "--workers", str(workers), "--memory", memory], stderr=said)
        peak = peak_until_end(p)
        busy = busy_seconds() - before
        said.seek(0)
        said = said.read()
    assert p.returncode == 0, said
    s = json.loads(said.strip().splitlines()[-1])
    assert s["in"] == s["accepted"] + s["rejected"] + s["failed"] and s["failed"] == 0, s
    return {"rows": s["in"], "kept": s["accepted"], "rejected": s["rejected"], "seconds": s["seconds"], "cpu_seconds": s["cpu_seconds"],
            "others": max(0, busy - s["cpu_seconds"]) / s["seconds"],        # processors that other work had meanwhile
            "peak_mb": max(s["peak_memory_bytes"], peak) / 1e6}      # what quern says, or the kernel when that is more


def kept_ids(path):
    number = re.compile(rb'\{"id": (\d+)')
    with open(path, "rb") as f:
        return {int(number.match(line).group(1)) for line in f}


def quality(made, kept):
    """Recall over planted pairs of exact Jaccard >= 0.8; precision over removed rows: exact Jaccard with the row it was copied from >= OVER."""
    removed = [i for i in range(made["rows"]) if i not in kept]
    close = [i for i, (_, j, _) in made["planted"].items() if j >= 0.8]
    true = sum(i in made["planted"] and made["planted"][i][1] >= OVER for i in removed)
    return {"recall": 1 - sum(i in kept for i in close) / max(1, len(close)), "precision": true / max(1, len(removed)), "removed": len(removed)}


def check_similarities(rows, path, made, kept):
    """What quern says of every removed row is the exact similarity with the row that it names, which stayed. Where the planted original is named and both are
    ASCII that is the planted similarity; for the rest it is computed here, letters of scripts without spaces each a word, as quern counts."""
    n, off, worst, rest = 0, 0, 0.0, {}
    def hold(r, j, of):
        nonlocal off, worst
        worst = max(worst, abs(r["_similarity"] - j))
        off += abs(r["_similarity"] - j) > 1e-9
        assert worst < 0.01, (r["id"], r["_of_row"], r["_similarity"], j, of)
    with open(path, encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            of, n = r["_of_row"] - 1, n + 1
            planted = made["planted"].get(r["id"], (None, 0, False))
            assert of in kept and of < r["id"], r
            if planted[0] == of and planted[2]: hold(r, planted[1], of)
            else: rest.setdefault(of, []).append(r)
    with open(rows, "rb") as f:
        for i, line in enumerate(f):
            for r in rest.get(i, ()): hold(r, sets.jaccard(json.loads(line)["text"], r["text"], solo=True), i)
    assert off <= 2 + n // 20000, (off, n)      # two of a pair's shingles share their 32-bit hash once in 200,000 pairs
    say("%d similarities, %d of them of pairs that are not planted or not ASCII: %d off, by %.4f at most" % (n, sum(map(len, rest.values())), off, worst))
    return "the similarity that quern gives with the row that it names is the exact one for %s of %s rejected rows%s" % (
        format(n - off, ","), format(n, ","), " (%.4f off at most: 32-bit hashes of shingles)" % worst if off else "")


table, notes = [], []


def put(work, by, s, mb=None, rows=None, q=None, unit="docs", note=""):
    cpu = s["cpu_seconds"]
    table.append({"work": work, "by": by, "rows_s": (rows if rows is not None else s["rows"]) / cpu, "mb_s": mb / cpu if mb else None, "cpu": cpu,
                  "seconds": s.get("seconds"), "peak": s["peak_mb"], "recall": q and q["recall"], "precision": q and q["precision"], "unit": unit, "note": note})
    t = table[-1]
    say("%-34s %-12s %12.0f %s/CPU-s %s %.2f CPU-s, %.0f MB %s" % (work, by, t["rows_s"], unit, "%.1f MB/CPU-s," % t["mb_s"] if mb else "", cpu, t["peak"],
        "recall %.4f precision %.4f" % (q["recall"], q["precision"]) if q else ""))
    return t


def minhash(tmp):
    """In turns, so that other work on the machine meets all alike: quern with one worker, with two, rensa."""
    rows = tmp + "/rows.jsonl"
    made = sets.make(rows, o.mb)
    mb = made["bytes"] / 1e6
    work = "MinHash, %.0f MB" % mb
    runs, two, rensa = [], [], []
    for turn in range(o.rounds):
        two.append(quern_dedup(rows, tmp, 2, "1G"))
        runs.append(quern_dedup(rows, tmp, 1, "1G"))
        if turn == 0:
            kept = kept_ids(tmp + "/kept.jsonl")
            q = quality(made, kept)
            notes.append("%.0f MB: %s" % (mb, check_similarities(rows, tmp + "/rejected.jsonl", made, kept)))
            assert q["recall"] > 0.99 and q["precision"] > 0.99, q
        rensa.append(peer("minhash_rensa.py", rows, tmp + "/rensa.jsonl", OVER))
    say("in turns, CPU-s: %s; rensa %s" % (" ".join("%.2f" % s["cpu_seconds"] for s in runs), " ".join("%.2f" % s["cpu_seconds"] for s in rensa)))
    one = put(work, "quern", min(runs, key=lambda s: s["cpu_seconds"]), mb, q=q)
    spilled = quern_dedup(rows, tmp, 1, "64M")
    assert quality(made, kept_ids(tmp + "/kept.jsonl")) == q, "another result under --memory 64M"
    put(work + ", --memory 64M", "quern", spilled, mb, q=q)
    alone = [[s for s in r if s["others"] < 0.1] for r in (runs, two)]
    if all(alone):
        wall = [min(s["seconds"] for s in r) for r in alone]
        notes.append("two workers against one: %.2f times the speed (%.2f s and %.2f s of the clock, best of %d)" % (wall[0] / wall[1], wall[1], wall[0], o.rounds))
    else: notes.append("two workers against one: not measured, other work had %.1f of %d processors" % (min(s["others"] for s in two), os.cpu_count()))
    r = put(work, "rensa", min(rensa, key=lambda s: s["cpu_seconds"]), mb, q=quality(made, kept_ids(tmp + "/rensa.jsonl")))
    notes.append("MinHash: quern is %.1f times rensa" % (r["cpu"] / one["cpu"]))
    made = sets.make(rows, o.datasketch_mb)
    mb = made["bytes"] / 1e6
    s = peer("minhash_datasketch.py", rows, tmp + "/kept.jsonl", OVER)
    r = put("MinHash, %.0f MB" % mb, "datasketch", s, mb, q=quality(made, kept_ids(tmp + "/kept.jsonl")))
    notes.append("MinHash: quern is %.0f times datasketch (per MB)" % (one["mb_s"] / r["mb_s"]))
    return rows


def questions():
    if not sets.DATA: return [s for s in sets.sentences()]
    import gzip
    with gzip.open(sets.DATA + "/squad/dev-v2.0.json.gz", "rt", encoding="utf-8") as f: d = json.load(f)
    return list(dict.fromkeys(" ".join(x["question"].split()) for a in d["data"] for p in a["paragraphs"] for x in p["qas"]))


def novel(tmp):
    q = questions()
    random.Random(1).shuffle(q)
    n_pool = min(5000, len(q) * 9 // 10)
    pool, asked = q[:n_pool], q[n_pool:n_pool + 2000]
    for name, texts in (("pool", pool), ("asked", asked)): open(tmp + "/" + name, "w", encoding="utf-8").write("".join(t + "\n" for t in texts))
    a = json.loads(subprocess.run([ROOT + "/build/bench/bench_novel", tmp + "/pool", tmp + "/asked"], check=True, capture_output=True).stdout)
    b = peer("novel_rapidfuzz.py", tmp + "/pool", tmp + "/asked", 10)
    c = b["rouge_score"]
    assert a["best"][:len(c["best"])] == c["best"], "not rouge-score's values"
    assert max(abs(x - y) for x, y in zip(a["best"], b["best"])) < 1e-9
    work = "ROUGE-L, 1 against %d" % n_pool
    put(work, "quern", a, rows=a["pairs"], unit="pairs")
    put(work, "rapidfuzz", b, rows=b["pairs"], unit="pairs", note=b["way"])
    put(work, "rouge-score", {**c, "peak_mb": b["peak_mb"]}, rows=c["pairs"], unit="pairs")
    notes.append("ROUGE-L: quern is %.1f times rapidfuzz (%s, its faster way) and %.0f times rouge-score; its values are rouge-score's to the last bit"
                 % (table[-3]["rows_s"] / table[-2]["rows_s"], b["way"], table[-3]["rows_s"] / table[-1]["rows_s"]))


def gopher(tmp, rows):
    few = tmp + "/few.jsonl"
    with open(rows, encoding="utf-8") as f, open(few, "w", encoding="utf-8") as out:
        for _, line in zip(range(2000), f): out.write(line)
    a = json.loads(subprocess.run([ROOT + "/build/bench/bench_gopher", rows, "text"], check=True, capture_output=True).stdout)
    b = peer("gopher_datatrove.py", few, "text")
    put("Gopher's filters", "quern", a, a["bytes"] / 1e6, rows=a["texts"])
    put("Gopher's filters", "datatrove", b, b["bytes"] / 1e6, rows=b["texts"])
    notes.append("Gopher's filters: quern is %.0f times datatrove" % (table[-2]["mb_s"] / table[-1]["mb_s"]))


def lines_of(path):
    with open(path, "rb") as f:
        return sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b""))


def large(tmp):
    rows = tmp + "/large.jsonl"
    say("making %g GB" % o.gb)
    made = sets.make(rows, o.gb * 1000, seed=5)
    say("%d documents, %d planted copies" % (made["rows"], len(made["planted"])))
    s = quern_dedup(rows, tmp, os.cpu_count(), "512M")
    kept = kept_ids(tmp + "/kept.jsonl")
    q = quality(made, kept)
    put("MinHash, %.1f GB, --memory 512M" % o.gb, "quern", s, made["bytes"] / 1e6, q=q)
    assert s["rows"] == made["rows"] and s["kept"] == len(kept) and lines_of(tmp + "/rejected.jsonl") == s["rejected"], (s, made["rows"], len(kept))
    assert s["peak_mb"] < 512 * 1.049 and q["recall"] > 0.99 and q["precision"] > 0.99, (s, q)
    exact = check_similarities(rows, tmp + "/rejected.jsonl", made, kept)
    notes.append("%.1f GB under --memory 512M: %s documents in, %s kept, %s rejected (each is in one file or the other), %d workers, %.0f s of the clock, peak %.0f MB; %s; %s, commit %s"
                 % (o.gb, format(s["rows"], ","), format(s["kept"], ","), format(s["rejected"], ","), os.cpu_count(), s["seconds"], s["peak_mb"], exact, datetime.date.today(), commit()))


def commit(): return subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True).stdout.decode().strip()


def cell(x, form): return form % x if x is not None else ""


DOC = ROOT + "/docs/results_curation.md"


def line_of(t):
    return "| %s | %s | %s %s | %s | %.2f | %.0f | %s | %s |" % (t["work"], "**quern**" if t["by"] == "quern" else t["by"], format(round(t["rows_s"]), ","), t["unit"],
                                                                 cell(t["mb_s"], "%.1f"), t["cpu"], t["peak"], cell(t["recall"], "%.4f"), cell(t["precision"], "%.4f"))


def put_in():
    """The measured lines into the table that is there: in place of those of the same work, else behind the last of quern's MinHash; notes likewise."""
    lines = open(DOC, encoding="utf-8").read().splitlines()
    for t in table:
        start = "| %s |" % t["work"]
        lines = [l for l in lines if not l.startswith(start)]
        lines.insert(max(i for i, l in enumerate(lines) if l.startswith("| MinHash") and "**quern**" in l) + 1, line_of(t))
    for n in notes:
        lines = [l for l in lines if not l.startswith("- " + n.split(":")[0])]
        lines.insert(max(i for i, l in enumerate(lines) if l.startswith("- ")) + 1, "- " + n)
    open(DOC, "w", encoding="utf-8").write("\n".join(lines) + "\n")


def of_large_sets():
    """The lines and notes that a run with --gb left on the page, where this run measures none: they tell their own commit and day."""
    if o.gb or not os.path.exists(DOC): return [], []
    lines = open(DOC, encoding="utf-8").read().splitlines()
    return [l for l in lines if re.match(r"\| MinHash, [\d.]+ GB", l)], [l for l in lines if re.match(r"- [\d.]+ GB under ", l)]


def write():
    old_lines, old_notes = of_large_sets()
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    lines = ["# Curation beside its peers", "",
             "Written by `make bench-curation` (bench/bench_curation.py%s) on %s at commit %s: %s, %d cores, load average %.1f at the end. One run; speeds are per "
             "CPU-second; on a busy machine work that leans on memory, as MinHash does, still looks slower than it is." % (" --gb %g" % o.gb if o.gb else "", datetime.date.today(), commit(), cpu,
             os.cpu_count(), os.getloadavg()[0]), "",
             "| work | by | rows per CPU-s | MB per CPU-s | CPU-s | peak MB | recall | precision |", "|---|---|---|---|---|---|---|---|"]
    at = 1 + max((i for i, t in enumerate(table) if t["work"].startswith("MinHash") and t["by"] == "quern"), default=-1)
    measured = [line_of(t) for t in table]
    lines += measured[:at] + old_lines + measured[at:]
    lines += [""] + ["- " + n for n in notes] + old_notes + ["",
             "Documents of about 1.2 KB: real sentences in new orders, one in eight a copy of an earlier one with up to 40 words changed (bench/curation_sets.py). "
             "Recall counts planted pairs whose word 5-grams have an exact Jaccard similarity of at least 0.8, precision the removed rows whose original has at "
             "least 0.7; there a word is what stands between white space, which for quern is otherwise with Chinese, Japanese or Thai: hence its few removed rows below 0.7. "
             "Every similarity that quern gave was compared with the exact one of the two rows. All: word 5-grams, 128 hashes, 32 bands, first row stays."]
    open(DOC, "w", encoding="utf-8").write("\n".join(lines) + "\n")


if not o.only_gb and not os.path.exists(VENV + "/done"):
    say("making %s" % VENV)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([VENV + "/bin/pip", "install", "-q", *PEERS.split()], check=True)
    open(VENV + "/done", "w").close()
with tempfile.TemporaryDirectory(prefix="quern-bench-", dir=os.environ.get("TMPDIR", "/tmp")) as tmp:
    if not o.only_gb:
        kept = minhash(tmp)
        novel(tmp)
        gopher(tmp, kept)
    if o.gb: large(tmp)
for n in notes: say(n)
if not o.no_write: put_in() if o.only_gb else write()

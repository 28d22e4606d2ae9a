#!/usr/bin/env python3
"""bench_chat: `quern run ask` against the mock server, beside Python's aiohttp doing the same requests in the same run.

Two cases: 10,000 rows at 0 ms with 256 in flight, and at 1,000 ms with 1,000 in flight. One JSON line for each case and client: rows, seconds,
CPU-seconds of the client alone (user + system, its children included), peak memory. Every reply is checked before a speed is reported.

Usage: bench/bench_chat.py [--build build] [--rows N] [--case quick|slow] [--repeat N] [--no-peer]
The peer lives in a private virtual environment, deps/bench-venv (made on first use: pip install aiohttp)."""
import argparse, json, os, platform, resource, shutil, signal, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

PEER = r'''
import asyncio, json, sys, aiohttp
src, dst, url, n = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
async def main():
    rows = [json.loads(line) for line in open(src)]
    queue = iter(rows)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=n)) as s:
        async def worker():
            for row in queue:
                body = {"model": "mock", "max_tokens": 1024, "temperature": 0.7, "messages": [{"role": "user", "content": row["prompt"]}]}
                async with s.post(url + "/chat/completions", json=body) as r:
                    row["reply"] = (await r.json())["choices"][0]["message"]["content"]
        await asyncio.gather(*[worker() for _ in range(n)])
    with open(dst, "w") as f:
        for row in rows: f.write(json.dumps(row) + "\n")
asyncio.run(main())
'''

def venv():
    python = os.path.join(HERE, "deps", "bench-venv", "bin", "python")
    if not os.path.exists(python):
        root = os.path.dirname(os.path.dirname(python))
        subprocess.run([sys.executable, "-m", "venv", root], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "aiohttp"], check=True)
    return python

def timed(argv):
    """Runs argv; wall seconds, CPU seconds of it and its children, peak bytes."""
    begin = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    words = child.stderr.read()
    _, status, use = os.wait4(child.pid, 0)
    seconds = time.monotonic() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{argv[0]} failed: {words.decode(errors='replace')[-800:]}")
    return seconds, use.ru_utime + use.ru_stime, use.ru_maxrss * 1024

def check(path, rows):
    """Every prompt has its own reply (the mock repeats the prompt in it)."""
    seen = 0
    for line in open(path):
        row = json.loads(line)
        assert row["prompt"] in row["reply"], line
        seen += 1
    assert seen == rows, f"{seen} rows of {rows}"

def commit():
    try: return subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    except OSError: return ""

def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build"); p.add_argument("--rows", type=int, default=10000)
    p.add_argument("--case", choices=["quick", "slow"]); p.add_argument("--repeat", type=int, default=1); p.add_argument("--no-peer", action="store_true")
    o = p.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    build = os.path.join(HERE, o.build)
    tmp = tempfile.mkdtemp(prefix="quern-bench-")
    src = os.path.join(tmp, "prompts.jsonl")
    with open(src, "w") as f:
        for i in range(o.rows): f.write(json.dumps({"prompt": f"Question {i}: what does a hand mill grind, and who turns it?"}) + "\n")
    peer = None if o.no_peer else venv()
    script = os.path.join(tmp, "peer.py")
    open(script, "w").write(PEER)
    cases = [("quick", 0, 256), ("slow", 1000, 1000)]
    try:
        for name, latency, in_flight in cases:
            if o.case and o.case != name: continue
            for _ in range(o.repeat):
                for client in ["quern", "aiohttp"]:
                    if client == "aiohttp" and not peer: continue
                    mock = subprocess.Popen([os.path.join(build, "tests", "mock"), "--latency", str(latency), "--seconds", "300"], stdout=subprocess.PIPE, text=True)
                    url = f"http://127.0.0.1:{mock.stdout.readline().strip()}/v1"
                    out = os.path.join(tmp, "out")
                    shutil.rmtree(out, ignore_errors=True)
                    if client == "quern":
                        config = os.path.join(tmp, "quern.yaml")
                        open(config, "w").write(f"models:\n  bench: {{url: {url}, name: mock, in_flight: {in_flight}}}\n")
                        use = timed([os.path.join(build, "quern"), "run", "ask", f"rows={src}", "--config", config, "--model", "m=bench", "-o", out])
                        check(os.path.join(out, "data.jsonl"), o.rows)
                        inner = json.load(open(os.path.join(out, "summary.json")))
                        assert inner["rows"]["accepted"] == o.rows and inner["calls"]["sent"] == o.rows, inner
                    else:
                        os.mkdir(out)
                        use = timed([peer, script, src, os.path.join(out, "data.jsonl"), url, str(in_flight)])
                        check(os.path.join(out, "data.jsonl"), o.rows)
                    mock.send_signal(signal.SIGKILL); mock.wait()
                    print(json.dumps({"bench": "chat", "case": name, "client": client, "rows": o.rows, "latency_ms": latency, "in_flight": in_flight,
                                      "seconds": round(use[0], 3), "cpu_seconds": round(use[1], 3), "rows_per_cpu_second": round(o.rows / use[1]),
                                      "peak_memory_bytes": use[2], "machine": platform.machine(), "cores": os.cpu_count(), "commit": commit()}), flush=True)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)

main()

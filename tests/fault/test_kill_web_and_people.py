#!/usr/bin/env python3
"""L1, L2, L3 for searches, pages and people's decisions: kill -9 right after the n-th commit for n = 1, 2, 3 ... until the run gets through; then resume.
The bytes are those of a run that was never interrupted; nothing whose reply was recorded is asked again, and decisions hold when their file is gone."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 4
page = "<html><head><title>T</title></head><body><p>%s</p></body></html>" % ("A page with enough words to be a text of its own. " * 5)
html = {"Content-Type": "text/html"}
mock = Mock()
port = mock.port
mock.stop()
mock = Mock([{"path": "/robots.txt", "raw": "User-agent: *\nDisallow: /no\n", "headers": {"Content-Type": "text/plain"}},
             {"path": "/search", "regex": "word([0-9])", "raw": '{"results": [{"url": "http://127.0.0.1:%d/moved?{{1}}", "title": "t", "content": "c"}]}' % port},
             {"path": "/moved", "regex": "1", "status": 302, "headers": {"Location": "/page?1"}},
             {"path": "/moved", "raw": page, "headers": html}, {"path": "/page", "raw": page, "headers": html}], "--port", str(port))
recipe = write("r.yaml", """quern: 1
params: {rows: {type: path}, engine: {type: model}}
steps:
  - read_rows: {path: $rows}
  - search: {query: .q, engine: $engine}
  - each: {of: .results, spread: yes}
  - fetch_pages: {allow_private: yes, per_minute: 60000}
  - review: {show: '{q}', edit: q}
  - fields: {keep: [q, url, title, text, review]}
  - write: {to: data.jsonl}
""")
rows = write_rows("q.jsonl", [{"q": "word%d" % i} for i in range(N)])
args = [recipe, "rows=" + rows, "--model", "engine=http://127.0.0.1:%d#searxng" % port, "--in-flight", "2"]

first = Run(*args)
equal((first.code, first.summary["rows"]["pending"]), (1, N), "all wait: " + first.stderr[-300:])
tasks = read_rows(os.path.join(first.out, "review", "review", "queue.jsonl"))
for i, t in enumerate(sorted(tasks, key=lambda t: t["show"]["q"])):
    t.update([{"decision": "accept"}, {"decision": "modify", "edit": {"q": "changed"}}, {"decision": "reject"}, {"decision": "accept"}][i])


def decided(out):
    folder = os.path.join(out, "review", "review")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "queue.jsonl"), "w") as f:
        f.writelines(json.dumps(t) + "\n" for t in tasks)


decided(first.out)
reference = Run(*args, out=first.out)
equal((reference.code, len(reference.rows())), (0, 3), "one of four is rejected: " + reference.stderr[-300:])
whole = len(mock.requests())

n = 0
while True:
    n += 1
    check(n < 200, "200 kills and still not through")
    out = path("kill-%d" % n)
    decided(out)
    before = len(mock.requests())
    killed = Run(*args, out=out, env={"QUERN_TEST_KILL_AT_COMMIT": str(n)})
    if killed.code == 0:
        break
    equal(killed.code, -9, "killed at commit %d: %s" % (n, killed.stderr[-200:]))
    again = Run(*args, out=out)
    equal((again.code, again.data()), (0, reference.data()), "the bytes after a kill at commit %d: %s" % (n, again.stderr[-200:]))
    adds_up(again.summary)
    check(len(mock.requests()) - before <= whole + again.summary["interrupted_in_flight"], "commit %d: asked again for what was recorded" % n)
    shutil.rmtree(os.path.join(out, "review"))
    equal(Run(*args, out=out).data(), reference.data(), "without the file of decisions, after a kill at commit %d" % n)
check(n > 10, "the kill hook did not fire: %d" % n)
print("killed at each of %d commits, resumed each time to the same bytes; %d requests for a whole run" % (n - 1, whole))

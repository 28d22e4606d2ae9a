"""What test scripts share: the program, the mock model server, folders that go away, summaries.

A script is run by tests/run with QUERN and QUERN_BUILD set; it can also be run by hand from the repository's root. It prints what it checked and exits
non-zero at the first promise that does not hold; exit 77 says that something it needs is not here."""
import atexit, json, os, shutil, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("QUERN_BUILD", os.path.join(ROOT, "build"))
QUERN = os.environ.get("QUERN", os.path.join(BUILD, "quern"))
SHARED = os.path.join(os.path.dirname(ROOT), "shared", "data")
TMP = tempfile.mkdtemp(prefix="quern-test-")
atexit.register(lambda: shutil.rmtree(TMP, ignore_errors=True))


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def shared(*parts):
    path = os.path.join(SHARED, *parts)
    if not os.path.exists(path):
        skip("../shared/data/%s is not here" % "/".join(parts))
    return path


def path(*parts):
    p = os.path.join(TMP, *parts)
    os.makedirs(os.path.dirname(p), exist_ok=True)
    return p


def write(name, text):
    """Writes a file, in the test's own folder unless `name` is absolute; gives its path."""
    p = path(name)
    with open(p, "w") as f:
        f.write(text)
    return p


def write_rows(name, rows):
    return write(name, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))


def small_encoder():
    """Folder of a sentence encoder of small random weights; it reads the first thirty letters of a text. What it finds near is chance, but always the same."""
    fixture, folder = os.path.join(ROOT, "tests", "data", "nn"), os.path.dirname(path("encoder", "x"))
    for name in ("config.json", "model.safetensors"):
        shutil.copy(os.path.join(fixture, "bert", name), folder)
    with open(os.path.join(fixture, "tokenizer_wordpiece.json"), encoding="utf-8") as f:
        tokenizer = json.load(f)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [t["content"] for t in tokenizer["added_tokens"]] + list(letters) + ["##" + c for c in letters] + list(".,?-':1")      # 64, as many as the model has
    tokenizer["model"]["vocab"] = {w: i for i, w in enumerate(words)}
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as f:
        json.dump(tokenizer, f)
    return folder


def read_rows(p):
    with open(p, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def bytes_of(*parts):
    with open(os.path.join(*parts), "rb") as f:
        return f.read()


class Mock:
    """The scriptable model server on 127.0.0.1; `rules` are its script, see tests/mock. It ends with this process or after 300 s."""

    def __init__(self, rules=(), *args):
        self.log = path("mock-%d.log" % time.monotonic_ns())
        argv = [os.path.join(BUILD, "tests", "mock"), "--log", self.log, "--seconds", "300", *args]
        if rules:
            script = path("script-%d.jsonl" % time.monotonic_ns())
            with open(script, "w") as f:
                for r in rules:
                    f.write(json.dumps(r) + "\n")
            argv += ["--script", script]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.url = "http://127.0.0.1:%d/v1#m" % self.port
        atexit.register(self.stop)

    def requests(self):
        """Bodies of the model requests received so far."""
        if not os.path.exists(self.log):
            return []
        return [json.loads(line) for line in open(self.log, encoding="utf-8", errors="replace") if line.strip()]

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Run:
    """One run of the program: exit code, standard output and error, and the folder it left."""

    def __init__(self, *args, out=None, env=None, timeout=120, stdin=None):
        self.out = out or path("out-%d" % time.monotonic_ns())
        self.argv = args
        argv = [QUERN, "run", *args, "-o", self.out, "--json"]
        p = subprocess.run(argv, capture_output=True, timeout=timeout, env={**os.environ, **(env or {})}, input=stdin)
        self.code, self.stdout, self.stderr = p.returncode, p.stdout.decode(), p.stderr.decode(errors="replace")
        self.summary = json.loads(self.stdout) if self.stdout.strip().startswith("{") else None

    def rows(self, name="data.jsonl"):
        return read_rows(os.path.join(self.out, name))

    def data(self, name="data.jsonl"):
        return bytes_of(self.out, name)


def quern(*args, stdin=None, env=None, timeout=120):
    p = subprocess.run([QUERN, *args], capture_output=True, timeout=timeout, input=stdin, env={**os.environ, **(env or {})})
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def check(ok, *what):
    if not ok:
        print("FAILED:", *what)
        sys.exit(1)


def equal(got, want, what):
    check(got == want, "%s: got %r, wanted %r" % (what, got, want))


def adds_up(s):
    r = s["rows"]
    equal(r["in"], r["accepted"] + r["rejected"] + r["failed"], "in = accepted + rejected + failed")

#!/usr/bin/env python3
"""Training elsewhere: by TRL's command (a stand-in that leaves what TRL leaves) and by a fine-tuning service (a stand-in on 127.0.0.1 that keeps
files and jobs): what they get, what is taken, and that a kill at any point begins nothing twice."""
import http.server, os, re, signal, subprocess, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

rows = write_rows("rows.jsonl", [{"q": "%d?" % i, "a": "A%d" % i, "b": "B%d" % i} for i in range(20)])


def recipe(name, train, tail=""):
    p = write(name, "quern: 1\nparams:\n  rows: {type: path}\n  base: {type: model, default: builtin}\nsteps:\n  - name: rows\n    read_rows: {path: $rows}\n  - name: tuned\n    %s\n%s" % (train, tail))
    return p


# ---- TRL: a stand-in that reads the configuration, writes a checkpoint, may be killed, and leaves a model ----
stand_in = write("trl.py", r'''
import json, os, sys, time
what, flag, config = sys.argv[1:]
c = dict(l.split(": ", 1) for l in open(config) if ": " in l)
out, data = c["output_dir"].strip(), c["dataset_name"].strip() + "/train.jsonl"
with open(os.path.join(os.path.dirname(config), "calls"), "a") as f: f.write(what + (" resumed" if "resume_from_checkpoint" in c else "") + "\n")
assert flag == "--config"
rows = [json.loads(l) for l in open(data)]
os.makedirs(out + "/checkpoint-1", exist_ok=True)
print("loss 1.0", flush=True)
if os.environ.get("SLOW"): time.sleep(60)
if os.environ.get("BREAK"): sys.exit("CUDA out of memory")
json.dump({"model_type": "llama"}, open(out + "/config.json", "w"))
json.dump({"global_step": 3, "log_history": [{"loss": 2.0}, {"loss": 1.5}, {"loss": 0.5}]}, open(out + "/trainer_state.json", "w"))
json.dump([c, rows], open(out + "/seen.json", "w"))
''')
command = "%s %s" % (sys.executable, stand_in)
sft = recipe("sft.yaml", "train_sft: {by: trl, command: '%s', base_name: Some/Model-1B, prompt: 'Q {{ .q }}', reply: .a, lora: 8, epochs: 2, lr: 1e-4}" % command)
r = Run(sft, "rows=" + rows, out=path("trl"))
check(r.code == 2 and "runs: " + command in r.stderr, "a recipe's command is not run unasked", r.stderr)
r = Run(sft, "rows=" + rows, "--yes", out=path("trl"), env={"BREAK": "1"})
check(r.code != 0 and "CUDA out of memory" in r.stderr and "exit code 1" in r.stderr, "the trainer's own words", r.stderr)
p = subprocess.Popen([QUERN, "run", sft, "rows=" + rows, "--yes", "-q", "-o", path("trl")], env={**os.environ, "SLOW": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
models = path("trl", "models")
work = lambda: next((os.path.join(models, d) for d in os.listdir(models) if d.endswith(".trl")), None)
end = time.time() + 30
while time.time() < end and open(os.path.join(work(), "calls")).read().count("\n") < 2:
    time.sleep(0.02)
os.kill(p.pid, signal.SIGKILL)
p.wait()
r = Run(sft, "rows=" + rows, "--yes", out=path("trl"))
equal(r.code, 0, "trl: " + r.stderr)
about = r.rows()[0]
equal([about[k] for k in ("kind", "base", "rows", "steps", "loss_first", "loss_last", "path")], ["sft", "Some/Model-1B", 20, 3, 2.0, 0.5, "models/tuned"], "what came of it")
config, seen = json.load(open(path("trl", "models", "tuned", "seen.json")))
check(config["model_name_or_path"].strip() == '"Some/Model-1B"' and config["num_train_epochs"].strip() == "2" and float(config["learning_rate"]) == 1e-4 and config["lora_r"].strip() == "8", "the configuration", config)
equal(seen[3], {"messages": [{"role": "user", "content": "Q 3?"}, {"role": "assistant", "content": "A3"}]}, "rows in TRL's layout")
calls = open(os.path.join(work(), "calls")).read().split("\n")[:-1]
check(calls[0] == "sft" and calls[-1] == "sft resumed", "after a kill it goes on from the checkpoint", calls)
Run(sft, "rows=" + rows, "--yes", out=path("trl"))
equal(len(open(os.path.join(work(), "calls")).read().split("\n")), len(calls) + 1, "a model that is there is not trained again")
dpo = recipe("dpo.yaml", "train_dpo: {by: trl, command: '%s', base_name: X, prompt: 'Q {{ .q }}', chosen: .a, rejected: .b, beta: 0.2}" % command)
r = Run(dpo, "rows=" + rows, "--yes", out=path("trl-dpo"))
equal(r.code, 0, "dpo by trl: " + r.stderr)
config, seen = json.load(open(path("trl-dpo", "models", "tuned", "seen.json")))
check(set(seen[0]) == {"prompt", "chosen", "rejected"} and config["beta"].strip() == "0.2", "pairs in TRL's layout", seen[0])

# ---- a fine-tuning service ----
class Service(http.server.BaseHTTPRequestHandler):
    files, jobs, log, polls, slow, busy, cut = [], [], [], 0, False, 0, False
    n, kill = 0, None                                    # kill: (process, at which request, before or after its answer)

    def answer(self, value, code=200):
        S = Service
        S.n += 1
        dies = S.kill and S.n == S.kill[1]
        if dies and S.kill[2] == "before":               # what was asked for is done, and nobody hears of it
            os.kill(S.kill[0].pid, signal.SIGKILL)
            self.connection.close()
            return
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if dies:
            os.kill(S.kill[0].pid, signal.SIGKILL)

    def do_GET(self):
        S = Service
        if S.busy:
            S.busy -= 1
            return self.answer({"error": {"message": "busy"}}, 503)
        if self.path.startswith("/v1/files"):
            return self.answer({"data": S.files})
        if self.path.startswith("/v1/fine_tuning/jobs?"):
            return self.answer({"data": S.jobs})
        job = next(j for j in S.jobs if self.path.endswith(j["id"]))
        S.polls += 1
        done = not S.slow and S.polls > 2
        return self.answer({**job, "status": "succeeded" if done else "running", "trained_tokens": 77 if done else None, "fine_tuned_model": "ft:small:x" if done else None})

    def do_POST(self):
        S = Service
        body = self.rfile.read(int(self.headers["Content-Length"]))
        S.log.append((self.path, self.headers.get("Authorization"), body))
        if self.path == "/v1/files":
            S.files.append({"id": "file-%d" % len(S.files), "filename": re.search(rb'filename="([^"]+)"', body).group(1).decode()})
            return self.answer(S.files[-1])
        if self.path == "/v1/fine_tuning/jobs":
            S.jobs.append({"id": "job-%d" % len(S.jobs), **json.loads(body)})
            if Service.cut:                              # the job is begun, and the client never hears of it
                self.connection.close()
                return None
            return self.answer(S.jobs[-1])
        return self.answer({"choices": [{"message": {"content": "tuned says " + json.loads(body)["model"]}, "finish_reason": "stop"}]})

    def log_message(self, *a):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = "base=http://127.0.0.1:%d/v1#small" % server.server_port
openai = recipe("openai.yaml", "train_sft: {by: openai, base: $base, prompt: '{{ .q }}', reply: .a, epochs: 2, batch: 4, poll: 0.05}",
                "  - from: rows\n    ask: {model: $tuned, prompt: '{{ .q }}', as: said, temperature: 0}\n")
argv = [openai, "rows=" + rows, "--model", base]
planned = quern("plan", *argv)
equal((planned[0], Service.log), (0, []), "a plan begins no training: " + planned[2])
check("20" in planned[1].split("ask")[-1], "and counts what would be asked of the model that it makes", planned[1])
out = path("openai")
Service.cut = True
r = Run(*argv, out=out)
check(r.code != 0 and len(Service.jobs) == 1, "the answer to the job's request was lost", r.stderr)
Service.cut, Service.slow, Service.busy = False, True, 2
p = subprocess.Popen([QUERN, "run", *argv, "-q", "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
end = time.time() + 30
while time.time() < end and Service.polls < 3:
    time.sleep(0.02)
os.kill(p.pid, signal.SIGKILL)
p.wait()
Service.slow = False
r = Run(*argv, out=out)
equal(r.code, 0, "openai: " + r.stderr)
equal((len(Service.files), len(Service.jobs)), (1, 1), "one file and one job after a lost answer and a kill")
job = Service.jobs[0]
equal((job["model"], job["training_file"], job["method"]), ("small", "file-0", {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": 4}}}), "the job")
check(b'"content":"A7"' in Service.log[0][2] and b"fine-tune" in Service.log[0][2], "the file holds the conversations")
equal({x["said"] for x in r.rows()}, {"tuned says ft:small:x"}, "later steps ask the tuned model")
equal([r.rows("model.tuned.jsonl")[0][k] for k in ("path", "tokens", "rows")], ["ft:small:x", 77, 20], "what came of it")
polls = Service.polls
Run(*argv, out=out)
equal((len(Service.jobs), Service.polls), (1, polls), "again: nothing is asked of the service")

# killed at its first request, its second ... until it gets through, each before and after the answer
alone = recipe("alone.yaml", "train_sft: {by: openai, base: $base, prompt: '{{ .q }}', reply: .a, poll: 0.05}")
kills = 0
for when in ("before", "after"):
    for n in range(1, 30):
        out = path("alone-%s-%d" % (when, n))
        Service.files, Service.jobs, Service.log, Service.polls, Service.n = [], [], [], 0, 0
        p = subprocess.Popen([QUERN, "run", alone, "rows=" + rows, "--model", base, "-q", "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        Service.kill = (p, n, when)
        code = p.wait()
        Service.kill = None
        if code == 0:
            break
        equal(code, -signal.SIGKILL, "request %d: killed" % n)
        kills += 1
        r = Run(alone, "rows=" + rows, "--model", base, out=out)
        equal(r.code, 0, "killed %s the answer to request %d: %s" % (when, n, r.stderr))
        equal((len(Service.files), len(Service.jobs)), (1, 1), "killed %s the answer to request %d: files and jobs" % (when, n))
        equal(r.rows()[0]["path"], "ft:small:x", "and the model is taken")
check(kills >= 10, "it was killed at every request: %d" % kills)
print("openai: killed at each request before and after its answer, %d times: always one file and one job" % kills)
print("trl: 4 starts, resumed; openai: one file, one job, through a lost answer, a busy service and a kill")

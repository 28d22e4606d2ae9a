"""A model endpoint that also tunes: files and jobs are kept here, everything else goes on to a scripted server, where rules go by the model's name.

A job is done at once; the n-th makes the model tuned-n. `jobs` holds what was asked for, `files` the rows of each training as they came."""
import atexit, http.client, http.server, json, re, threading

import lib


class Tuner:
    def __init__(self, rules):
        self.mock, self.files, self.jobs = lib.Mock(rules), [], []
        tuner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, body, code=200):
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def say(self, value):
                self.answer(json.dumps(value).encode())

            def do_GET(self):
                if self.path.startswith("/v1/files"):
                    return self.say({"data": [{"id": "file-%d" % i, "filename": name} for i, (name, _) in enumerate(tuner.files)]})
                if self.path.startswith("/v1/fine_tuning/jobs?"):
                    return self.say({"data": tuner.jobs})
                return self.say(next(j for j in tuner.jobs if self.path.endswith(j["id"])))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/files":
                    name = re.search(rb'filename="([^"]+)"', body).group(1).decode()
                    tuner.files.append((name, [json.loads(x) for x in body.decode().splitlines() if x.startswith("{")]))
                    return self.say({"id": "file-%d" % (len(tuner.files) - 1), "filename": name})
                if self.path == "/v1/fine_tuning/jobs":
                    n = len(tuner.jobs) + 1
                    tuner.jobs.append({"id": "job-%d" % n, **json.loads(body), "status": "succeeded", "trained_tokens": 10, "fine_tuned_model": "tuned-%d" % n})
                    return self.say(tuner.jobs[-1])
                c = http.client.HTTPConnection("127.0.0.1", tuner.mock.port)
                c.request("POST", self.path, body, {"Content-Type": "application/json"})
                r = c.getresponse()
                return self.answer(r.read(), r.status)

            def log_message(self, *a):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        atexit.register(self.server.shutdown)
        self.url = "http://127.0.0.1:%d/v1#small" % self.server.server_port

    def learnt(self, job):
        """The rows of the n-th job, from 1."""
        return self.files[int(self.jobs[job - 1]["training_file"].split("-")[1])][1]

    def requests(self):
        return self.mock.requests()

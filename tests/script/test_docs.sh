#!/usr/bin/env bash
# The committed reference pages are those that the program writes now: run `make docs` when this fails.
set -eu
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
tools/docs.sh "${QUERN:-build/quern}" "$tmp"
bad=0
for d in ops recipes; do diff -r "docs/$d" "$tmp/$d" >"$tmp/diff" || { head -20 "$tmp/diff"; bad=1; }; done
for f in expressions.md quern.1; do diff "docs/$f" "$tmp/$f" >"$tmp/diff" || { head -20 "$tmp/diff"; bad=1; }; done
[ $bad = 0 ] || { echo "docs/ is not what the program says: run make docs"; exit 1; }
echo "docs/ is what the program says: $(ls docs/ops | wc -l) operator pages, $(ls docs/recipes | wc -l) recipe pages"

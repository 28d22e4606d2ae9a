#!/usr/bin/env bash
# The program that docs/c_api.md shows compiles with the public header alone, in C and in C++, and does what the page says.
set -eu
cd "$(dirname "$0")/../.."
build=${QUERN_BUILD:-build}; build=${build#"$PWD"/}
san=${build#build}; san=${san#-}
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
sed -n '/^```c$/,/^```$/p' docs/c_api.md | grep -v '^```' >"$tmp/shown.c"
flags=$(make -s link-flags B="$build" SAN="${san//-/,}")
gcc -std=c17 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$tmp/shown" "$tmp/shown.c" $flags
mkdir "$tmp/at" && ln -s "$PWD/examples" "$tmp/at/examples"
export LD_LIBRARY_PATH="$PWD/deps/yyjson/usr/lib/$(gcc -print-multiarch)"
export QUERN_PROGRAM=$PWD/$build/quern
(cd "$tmp/at" && "$tmp/shown") >"$tmp/said"
[ "$(grep -c '^{"' "$tmp/said")" = 4 ] || { echo "three rows and one are not shown:"; cat "$tmp/said"; exit 1; }
grep -q '^1 row is left$' "$tmp/said" || { cat "$tmp/said"; exit 1; }
n=$(sed -n 's/^\([0-9]*\) rows$/\1/p' "$tmp/said")
[ "$n" = "$(wc -l <"$tmp/at/out/planets/data.jsonl")" ] && [ "$n" -gt 3 ] || { echo "the rows told are not those written"; cat "$tmp/said"; exit 1; }
if command -v g++ >/dev/null; then
    echo '#include <quern.h>
int main() { quern *q = quern_open("ask"); quern_status s = quern_check(q); quern_close(q); return s == QUERN_MISTAKE ? 0 : 1; }' >"$tmp/plus.cc"
    g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -Iinclude -o "$tmp/plus" "$tmp/plus.cc" $flags && "$tmp/plus"
fi
echo "docs/c_api.md: its program compiles and runs"

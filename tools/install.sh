#!/usr/bin/env bash
# Puts quern under a prefix: the program, libquern.a and its header, the manual page, bash completion, and the libraries that setup fetched
# into deps/ (they go to PREFIX/lib/quern, where the program looks first). Usage: tools/install.sh BUILD PREFIX [DESTDIR]; `make install` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 prefix=$2 root=${3:-}$2
case $prefix in /*) ;; *) echo "install: the prefix must be a full path, not \`$prefix\`" >&2; exit 2 ;; esac
put() { install -D -m "$1" "$2" "$3"; }              # mode file to

put 755 "$build/quern" "$root/bin/quern"
put 644 "$build/libquern.a" "$root/lib/libquern.a"
[ ! -e include/quern.h ] || put 644 include/quern.h "$root/include/quern.h"
put 644 docs/quern.1 "$root/share/man/man1/quern.1"
for lib in deps/yyjson/usr/lib/*/libyyjson.so.0 deps/lib/*.so; do
    [ ! -e "$lib" ] || put 755 "$(readlink -f "$lib")" "$root/lib/quern/$(basename "$lib")"
done
install -d "$root/share/bash-completion/completions"
"$build/quern" completion bash >"$root/share/bash-completion/completions/quern"
chmod 644 "$root/share/bash-completion/completions/quern"
echo "installed: $root/bin/quern"

#!/usr/bin/env bash
# Checks that every room includes only itself and rooms named before it in src/ROOMS. Three files stand in another room than their folder says:
# src/recipe/{expr,template,schema}* are the room `expr`, src/ops/op.h is the room `op`.
set -euo pipefail
cd "$(dirname "$0")/.."
read -r -a rooms <src/ROOMS
rank() { local i; for i in "${!rooms[@]}"; do [ "${rooms[$i]}" = "$1" ] && { echo "$i"; return; }; done; echo -1; }
room_of() { # path below src/
    case $1 in
        recipe/expr*|recipe/template*|recipe/schema*|recipe/regex*) echo expr ;;
        ops/op.h) echo op ;;
        *) echo "${1%%/*}" ;;
    esac
}
bad=0
while IFS=: read -r file line text; do
    inc=$(sed -E 's/.*#include "([^"]+)".*/\1/' <<<"$text")
    [[ $inc == */* ]] || continue
    from=$(room_of "${file#src/}"); to=$(room_of "$inc")
    [ "$from" = "$to" ] && continue
    a=$(rank "$from") b=$(rank "$to")
    if [ "$a" -lt 0 ] || [ "$b" -lt 0 ]; then echo "$file:$line: room of $inc is not in src/ROOMS ($from -> $to)"; bad=1
    elif [ "$b" -gt "$a" ]; then echo "$file:$line: $from may not include $inc ($to comes later)"; bad=1; fi
done < <(grep -rn '^#include "' src --include='*.[ch]')
[ $bad = 0 ] && echo "rooms: every include points to an earlier room"
exit $bad

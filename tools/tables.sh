#!/bin/sh
# Writes the tables of operators (src/ops/*/NAME.c -> qn_op_NAME), formats (src/io/format_NAME.c -> qn_format_NAME) and commands
# (src/cli/cmd_NAME.c -> qn_cmd_NAME) from the file names alone.
set -eu
names() { for f in $1; do [ -e "$f" ] && basename "$f" .c | sed "s/^$2//"; done | LC_ALL=C sort; }
table() { # glob prefix header type symbol variable
    n=$(names "$1" "$2")
    echo "#include \"$3\""
    for x in $n; do echo "extern const $4 $5$x;"; done
    echo "const $4 *const $6[] = {"
    for x in $n; do echo "    &$5$x,"; done
    echo "    0"
    echo "};"
}
echo "/* written by tools/tables.sh: do not edit */"
table 'src/ops/*/*.c' '' ops/op.h qn_op qn_op_ qn_ops_table
table 'src/io/format_*.c' 'format_' io/format.h qn_format qn_format_ qn_formats_table
table 'src/cli/cmd_*.c' 'cmd_' cli/cmd.h qn_cmd qn_cmd_ qn_cmds_table

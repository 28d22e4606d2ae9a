#!/usr/bin/env python3
"""A run that gives no row says so and what to do; files of a folder that a source cannot read are counted in a warning, none is left out in silence."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

write("docs/note.txt", "So be it, then. And yet, why not? Perhaps.\n")
write("docs/rows.jsonl", '{"words": "no field called text"}\n')
write("docs/photo.xyz", "\x00\x01")
r = Run("document_qa", "docs=" + path("docs"))
equal((r.code, r.summary["rows"]["in"], r.summary["rows"]["accepted"]), (1, 1, 0), r.stderr)
code, out, err = quern("run", "document_qa", "docs=" + path("docs"), "-o", path("shown"))
said = out + err
check("2 of 3 files hold no documents and were left out, first " + path("docs", "photo.xyz") in said, said)
check("no row came through" in said and "--model writer=URL" in said, "what to do:", said)
check("\033" not in said, "no control characters where there is no terminal:", said)

write("tables/mills.csv", "mill,town,stones,built\n" + "".join("%s,%s,%d,%d\n" % m for m in
      [("Ost", "Bonn", 3, 1780), ("West", "Ulm", 5, 1791), ("Nord", "Bonn", 7, 1802), ("Sued", "Trier", 2, 1815), ("Alt", "Ulm", 4, 1760)]))
write("tables/readme.txt", "no table\n")
code, out, err = quern("run", "table_qa", "tables=" + path("tables"), "-o", path("tabled"))
equal(code, 0, err)
check("1 file holds no tables and was left out, first " + path("tables", "readme.txt") in err, err)
check("no row came through" not in out + err, out + err)
print("a run that gave nothing, and files that were left out, are told")

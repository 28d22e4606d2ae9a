#!/usr/bin/env python3
"""Writes a C header that holds the shipped recipes and the pages of the report and the web UI as bytes, so that one binary is enough."""
import glob, os

def emit(table, paths):
    for i, p in enumerate(paths):
        data = open(p, "rb").read()
        body = ",".join(str(b) for b in data)
        print(f"static const unsigned char {table}_{i}[] = {{{body}{',' if data else ''}0}};")
    print(f"static const qn_embedded {table}[] = {{")
    for i, p in enumerate(paths):
        print(f'    {{ "{os.path.basename(p)}", {table}_{i}, sizeof {table}_{i} - 1 }},')
    print("    { 0, 0, 0 }\n};")

print("/* written by tools/embed.py: do not edit */")
print("typedef struct { const char *name; const unsigned char *bytes; unsigned long n; } qn_embedded;")
print("#ifdef QN_EMBED_RECIPES")
emit("qn_embedded_recipes", sorted(glob.glob("recipes/*.yaml")))
print("#endif\n#ifdef QN_EMBED_REPORT")
emit("qn_embedded_report", sorted(glob.glob("src/report/*.html") + glob.glob("src/report/*.css") + glob.glob("src/report/*.js")))
print("#endif\n#ifdef QN_EMBED_UI")
emit("qn_embedded_ui", sorted(glob.glob("src/serve/ui/*")))
print("#endif")

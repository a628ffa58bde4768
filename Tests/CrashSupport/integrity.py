#!/usr/bin/env python3
"""Looks at the database of a daemon that has stopped: prints "ok", or what SQLite finds wrong with it."""
import sqlite3
import sys

with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as database:
    problems = [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
    problems += [f"a row of {row[0]} refers to nothing" for row in database.execute("PRAGMA foreign_key_check")]
print("; ".join(problems) or "ok")

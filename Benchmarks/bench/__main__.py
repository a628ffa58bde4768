"""`make bench`: runs the measurements of this repository, prints a table and writes JSON and Markdown."""

import os
import signal
import sys
import time

from lines import LINES
import build
import disk
import machine
import report
import settings


def chosen():
    if not settings.ONLY:
        return list(LINES)
    unknown = [name for name in settings.ONLY if name not in LINES]
    if unknown:
        sys.exit(f"bench: there is no line {', '.join(unknown)}; there are: {', '.join(LINES)}")
    return [name for name in LINES if name in settings.ONLY]


def main():
    # A TERM ends like Ctrl-C: every server that was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    names = chosen()
    build.everything(names)
    began = time.time()
    book = report.Book(machine.description())
    print(book.heading(), flush=True)
    failures = []
    with settings.data_folder():
        for name in names:
            for mood in disk.moods(LINES[name].MOODS):
                print(f"\n== {name}: {LINES[name].TITLE}, {mood.title}", flush=True)
                try:
                    for row in LINES[name].run(mood):
                        book.add(name, mood, row)
                        print(report.line(row), flush=True)
                except KeyboardInterrupt:
                    raise
                except Exception as problem:  # one broken line must not hide the others
                    failures.append(f"{name}, {mood.title}: {problem}")
                    print(f"   FAILED: {problem}", flush=True)
                    if os.environ.get("BENCH_DEBUG"):
                        raise
    book.finish(time.time() - began, failures)
    return 1 if failures or book.missed() else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("bench: stopped")

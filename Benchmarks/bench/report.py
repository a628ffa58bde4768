"""The table on the screen, the JSON beside it, and Markdown for the README."""

import json
import statistics

import settings


def number(value):
    if value is None:
        return "–"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size < 100 else f"{value:.0f}"


def spread(values):
    if len(values) < 2:
        return ""
    return f"{number(min(values))}–{number(max(values))}"


def goal(row):
    if row.at_least is not None:
        return f"≥ {number(row.at_least)}"
    if row.at_most is not None:
        return f"≤ {number(row.at_most)}"
    return ""


def ratio(row):
    return row.reads.format(ratio=number(row.ratio), against=row.against) if row.ratios else ""


def verdict(row):
    return {None: "", True: "met", False: "MISSED"}[row.is_met]


def share_of(stolen):
    """What others of the host took: the middle round, and the worst."""
    return f"{statistics.median(stolen):.0%} ({max(stolen):.0%})" if stolen else "–"


def line(row):
    if row.missing:
        return f"   {row.title:58} – {row.missing}"
    text = f"   {row.title:58} {number(row.median):>10} {row.unit:9} [{spread(row.values)}]"
    if row.ratios:
        text += f"  {ratio(row)} [{spread(row.ratios)}]"
    if goal(row):
        text += f"  goal {goal(row)}: {verdict(row)}"
    if row.details:
        text += (f"  p50 {number(row.details['p50_ms'])} p99 {number(row.details['p99_ms'])} ms,"
                 f" {number(row.details['server_cpu_us_per_message'])} µs CPU")
    if row.sync_rate is not None:
        text += f"  ({number(row.sync_rate)} syncs/s)"
    if (row.stolen_share or 0) >= 0.01:
        text += f"  others took {row.stolen_share:.0%}"
    return text


class Book:
    """All rows of a run."""

    def __init__(self, machine):
        self.machine = machine
        self.entries = []

    def heading(self):
        known = self.machine
        return (f"{known['date']}  commit {known['commit']}  `{known['command']}`\n"
                f"{known['cpu']}, {known['memory_gib']} GiB, {known['system']}, Linux {known['kernel']},"
                f" {known['filesystem']}, Swift {known['swift']};"
                f" {known['rounds']} rounds of {known['seconds_per_point']:g} s per point")

    def add(self, name, mood, row):
        self.entries.append((name, mood, row))

    def missed(self):
        return [row.title for _, _, row in self.entries if row.is_met is False]

    def json(self, seconds, failures):
        rows = []
        for name, mood, row in self.entries:
            rows.append({
                "line": name, "disk": mood.name, "title": row.title, "unit": row.unit, "median": row.median,
                "values": row.values, "ratio": row.ratio, "ratios": row.ratios, "against": row.against,
                "at_least": row.at_least, "at_most": row.at_most, "met": row.is_met,
                "fdatasync_per_second": row.sync_rate, "fdatasync_rates": row.sync_rates,
                "stolen_shares": row.stolen, "details": row.details,
                "missing": row.missing,
            })
        return {"machine": self.machine, "seconds": round(seconds), "failures": failures, "rows": rows}

    def markdown(self):
        """For the README: one table, both disks."""
        known = self.machine
        lines = [f"Measured {known['date']} at commit {known['commit']} with `{known['command']}` on {known['cpu']},"
                 f" {known['memory_gib']} GiB, {known['system']}, Linux {known['kernel']}, {known['filesystem']}:"
                 f" medians of {known['rounds']} rounds in alternation (least–most).", "",
                 "| | disk | median | unit | ratio | goal | p50 / p99 ms | fdatasync/s | others took |",
                 "|---|---|---|---|---|---|---|---|---|"]
        for _, mood, row in self.entries:
            if row.missing:
                lines.append(f"| {row.title} | {mood.name} | {row.missing} | | | | | | |")
                continue
            share = f"{ratio(row)} ({spread(row.ratios)})" if row.ratios else ""
            asked = f"{goal(row)} {verdict(row)}".strip()
            times = f"{number(row.details['p50_ms'])} / {number(row.details['p99_ms'])}" if row.details else ""
            value = f"{number(row.median)} ({spread(row.values)})"
            lines.append(f"| {row.title} | {mood.name} | {value} | {row.unit} | {share} | {asked} | {times}"
                         f" | {number(row.sync_rate)} | {share_of(row.stolen)} |")
        return "\n".join(lines) + "\n"

    def finish(self, seconds, failures):
        settings.RESULTS.mkdir(exist_ok=True)
        (settings.RESULTS / "latest.json").write_text(json.dumps(self.json(seconds, failures), indent=1) + "\n")
        (settings.RESULTS / "latest.md").write_text(self.markdown())
        rates = [row.sync_rate for _, mood, row in self.entries if mood.name == "as-is" and row.sync_rate]
        print(f"\n{len(self.entries)} rows in {seconds:.0f} s;"
              f" fdatasync {number(statistics.median(rates)) if rates else '–'}/s on the disk as it is")
        print(f"JSON: {settings.RESULTS / 'latest.json'}\nMarkdown: {settings.RESULTS / 'latest.md'}")
        stolen = [share for _, _, row in self.entries for share in row.stolen]
        print(f"of the processor time that was asked for, others of the host took {share_of(stolen)}")
        for title in self.missed():
            print(f"MISSED: {title}")
        for failure in failures:
            print(f"FAILED: {failure}")

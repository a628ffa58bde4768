"""The lines of the table, by the name that ONLY= takes. Each has TITLE, MOODS and run(mood), which yields rows."""

from lines import accept, backlog, batch, callbacks, compare, fairness, footprint, jobs, latency, mailbox, recovery

LINES = {
    "accept": accept, "batch": batch, "latency": latency, "mailbox": mailbox, "recovery": recovery,
    "footprint": footprint, "callbacks": callbacks, "backlog": backlog, "fairness": fairness, "jobs": jobs,
    "compare": compare,
}

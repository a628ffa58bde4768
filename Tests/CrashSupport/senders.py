#!/usr/bin/env python3
"""The senders of the crash tests: 64 keep-alive connections to a daemon that is being maltreated.

    senders.py PLAN.json

Each connection is a sender of its own. It sends numbered messages, the next one only when the one before is
acknowledged, so the order of a sender's messages is defined. When an answer is lost it sends the same message again
under the same Idempotency-Key, for as long as it takes. What was acknowledged goes into the sender's own file, a line
at a time and before the next message: "NUMBER ACTOR EXECUTION".

Standard input tells it what happens, standard output tells what it saw; nobody has to poll or sleep:

PLAN.json is written by Tests/EndToEndTests/Ledgers.swift.

    at URL COUNT    the daemon is (again) at URL; say "reached" after COUNT more acknowledgements
    reach COUNT     the same, at the address that is known
    fill            say "refused" when a message is refused for want of space
    stop            let every sender finish its message, then print the totals as one JSON line and exit

Exit code 0: everything that was begun was acknowledged. 1: an answer was wrong; standard error says which.
Only the standard library is used.
"""
import asyncio
import json
import os
import random
import sys

# Refused for now, not for good: stopping, too much mail, no space.
BUSY = {429, 503, 507}
# Seconds that a sender waits for one answer at most.
LONGEST_PATIENCE = 30.0


class WrongAnswer(Exception):
    """The daemon answered what it must not."""


class Board:
    """What all senders share: where the daemon is, whether to go on, and what is waited for."""

    def __init__(self):
        self.address = None
        self.generation = 0
        self.changed = asyncio.Event()
        self.stopping = False
        self.acknowledged = 0
        self.target = None
        self.filling = False
        self.totals = {"acknowledged": 0, "retried": 0, "repeats": 0, "reuses": 0, "refused": {}}

    def say(self, line):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def move(self, url):
        host, port = url.split("://", 1)[1].rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))
        self.generation += 1
        self.changed.set()
        self.changed = asyncio.Event()

    async def newer_than(self, generation):
        """Nobody listens at the old address: connecting again and again could only reach a stranger."""
        while self.generation == generation:
            await self.changed.wait()

    def note_acknowledged(self):
        self.acknowledged += 1
        self.totals["acknowledged"] += 1
        if self.target is not None and self.acknowledged >= self.target:
            self.target = None
            self.say("reached")

    def note_refused(self, status):
        refused = self.totals["refused"]
        refused[str(status)] = refused.get(str(status), 0) + 1
        if status == 507 and self.filling:
            self.filling = False
            self.say("refused")

    def reach(self, count):
        self.acknowledged, self.target = 0, int(count)


class Sender:
    def __init__(self, number, plan, board):
        self.number, self.plan, self.board = number, plan, board
        self.random = random.Random(f"{plan['seed']}/{number}")
        self.token = plan["tokens"][number]
        path = os.path.join(plan["folder"], f"{number:02d}")
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.reader = self.writer = None
        self.generation = 0

    async def run(self):
        message = 0
        while not self.board.stopping:
            message += 1
            actor, body = self.message(message)
            key = f"s{self.number}-{message}"
            execution = await self.accepted(actor, body, key)
            os.write(self.file, f"{message} {actor} {execution}\n".encode())
            self.board.note_acknowledged()
            if self.random.random() < self.plan["repeats"]:
                await self.repeat(actor, body, key, execution)
            if self.plan.get("pace"):
                await asyncio.sleep(self.plan["pace"] * self.random.random())
        self.hang_up()

    def message(self, number):
        """Which actor gets this message, and its body."""
        scripted = self.plan.get("scripted")
        if scripted and self.number < scripted["senders"] and number % scripted["every"] == 0:
            return scripted["actor"], json.dumps({"s": self.number, "n": number}).encode() + b"\n"
        target = self.plan["targets"][(self.number + number) % len(self.plan["targets"])]
        body = {
            "uuid": target["uuid"], "event": "update", "token": target["token"],
            "data": {"s": self.number, "n": number},
        }
        if self.plan["padding"]:
            body["data"]["padding"] = "x" * self.random.randrange(self.plan["padding"])
        return target["actor"], json.dumps(body).encode()

    async def repeat(self, actor, body, key, execution):
        """The same key again is the same execution; with another body it is refused."""
        again = await self.accepted(actor, body, key)
        if again != execution:
            raise WrongAnswer(f"key {key} was execution {execution}, and again {again}")
        self.board.totals["repeats"] += 1
        status, text = await self.answer(actor, body + b" ", key)
        if status != 422:
            raise WrongAnswer(f"key {key} with another body was answered with {status}: {text}")
        self.board.totals["reuses"] += 1

    async def accepted(self, actor, body, key):
        status, text = await self.answer(actor, body, key)
        if status != 200:
            raise WrongAnswer(f"message {key} to {actor} was answered with {status}: {text}")
        return json.loads(text)["result"]["executionId"]

    async def answer(self, actor, body, key):
        """The first answer that is one, whatever happens to the daemon meanwhile.

        Whoever gives up on an answer waits twice as long for the next: a machine that is busy with others answers
        late, and one that is asked the more for it never."""
        patience = self.plan["timeout"]
        request = (
            f"POST /actors/v2/{actor}/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        while True:
            try:
                status, text = await asyncio.wait_for(self.exchange(request), patience)
            except ConnectionRefusedError:
                self.hang_up()
                await self.board.newer_than(self.generation)
                continue
            except asyncio.TimeoutError:
                self.board.totals["retried"] += 1
                self.hang_up()
                patience = min(2 * patience, LONGEST_PATIENCE)
                continue
            except (OSError, EOFError):
                self.board.totals["retried"] += 1
                self.hang_up()
                continue
            if status not in BUSY:
                return status, text
            self.board.note_refused(status)
            await asyncio.sleep(0.01 + 0.02 * self.random.random())

    async def exchange(self, request):
        if self.writer is None:
            while self.board.address is None:
                await self.board.newer_than(0)
            self.generation = self.board.generation
            self.reader, self.writer = await asyncio.open_connection(*self.board.address)
        self.writer.write(request)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        text = await self.reader.readexactly(int(fields["content-length"]))
        if fields.get("connection") == "close":
            self.hang_up()
        return int(head[0].split(" ")[1]), text.decode()

    def hang_up(self):
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None


async def orders(board):
    """Follows standard input until it says stop; when it just ends, nobody is interested any more."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        if line[0] == "at":
            board.reach(line[2])
            board.move(line[1])
        elif line[0] == "reach":
            board.reach(line[1])
        elif line[0] == "fill":
            board.filling = True
        elif line[0] == "stop":
            board.stopping = True
            return
    os._exit(2)


async def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    os.makedirs(plan["folder"], exist_ok=True)
    board = Board()
    tasks = [asyncio.create_task(orders(board))]
    tasks += [asyncio.create_task(Sender(n, plan, board).run()) for n in range(len(plan["tokens"]))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
    board.say(json.dumps(board.totals))


try:
    asyncio.run(main())
except WrongAnswer as problem:
    print(f"senders: {problem}", file=sys.stderr)
    sys.exit(1)

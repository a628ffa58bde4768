"""Stands between the daemon and a container engine's socket and kills the daemon at every kind of request that it makes:
before the engine sees it, and after the engine has answered.

    python3 engine_proxy.py FOLDER SOCKET     listens on FOLDER/s, prints a line when it does

The daemon's process id stands in FOLDER/pid when it may be killed; FOLDER/killed gets a line for each time.
"""
import os
import re
import signal
import socket
import sys
import threading
import time

FOLDER, ENGINE = sys.argv[1:3]
LOCK = threading.Lock()
KILLED = set()


def step(method, path):
    path = re.sub(r"^/v[0-9.]+", "", path.split("?")[0])
    path = re.sub(r"^/containers/(?!create|json)[^/]+", "/containers/NAME", path)
    return f"{method} {re.sub(r'^/images/.*/json$', '/images/NAME/json', path)}"


def kill(moment, what):
    with LOCK:
        if (moment, what) in KILLED:
            return False
        KILLED.add((moment, what))
    for _ in range(3000):
        try:
            with open(f"{FOLDER}/pid") as file:
                pid = int(file.read())
            os.unlink(f"{FOLDER}/pid")
            break
        except (OSError, ValueError):
            time.sleep(0.01)
    else:
        return False
    with open(f"{FOLDER}/killed", "a") as out:
        out.write(f"{moment} {what}\n")
    os.kill(pid, signal.SIGKILL)
    return True


def read_request(client):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    while length and len(body) < int(length.group(1)):
        body += client.recv(65536)
    return head, body


def serve(client):
    with client:
        request = read_request(client)
        if request is None:
            return
        head, body = request
        method, path = head.split(b" ")[:2]
        what = step(method.decode(), path.decode())
        if kill("before", what):
            return
        # One request for each connection: the engine's answer ends where it closes.
        head = re.sub(rb"(?im)^connection:.*\r\n", b"", head) + b"\r\nConnection: close"
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(ENGINE)
            engine.sendall(head + b"\r\n\r\n" + body)
            answer = b""
            while piece := engine.recv(65536):
                answer += piece
        if not kill("after", what):
            client.sendall(answer)


server = socket.socket(socket.AF_UNIX)
server.bind(f"{FOLDER}/s")
server.listen(64)
print(0, flush=True)
while True:
    connection, _ = server.accept()
    threading.Thread(target=lambda c=connection: serve(c), daemon=True).start()

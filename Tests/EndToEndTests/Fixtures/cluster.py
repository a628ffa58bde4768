"""A cluster of one process: an API server with Jobs, pods, logs, events and watches, Argo's Workflows in it, and the
Argo server's own API beside. Containers are commands of this machine. Its words are those of recorded servers; what it
answers to a client is compared with the records by ClusterTests.

    python3 cluster.py FOLDER [key=value …]     prints its port

FOLDER gets `requests` (a line each), `created` (a line for each object that was made), `logs/`. With kill=1 the daemon
whose process id stands in FOLDER/pid is killed once at every kind of request that it makes: after it was done and before
it is answered, and for requests that change something also before it is done. token=WORD is asked for at the Argo
server. forget=N keeps N events for watches only: older versions are answered with 410.
"""
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

FOLDER = sys.argv[1]
OPTIONS = dict(word.split("=", 1) for word in sys.argv[2:])
os.makedirs(f"{FOLDER}/logs", exist_ok=True)
LOCK = threading.Condition()
STORE = {"jobs": {}, "pods": {}, "workflows": {}, "events": {}}
KINDS = {"jobs": "Job", "pods": "Pod", "workflows": "Workflow", "events": "Event"}
FULL = {"jobs": "jobs.batch", "workflows": "workflows.argoproj.io"}
CHANGES = []  # (version, resource, type, object)
RUNNING = {}  # pod key -> processes
VERSION = [100]
KILLED = set()
NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")


class Refusal(Exception):
    def __init__(self, status, reason, message):
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


def note(file, line):
    with open(f"{FOLDER}/{file}", "a") as out:
        out.write(line + "\n")


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def put(resource, item, change="MODIFIED"):
    """Under LOCK: a new version of an object, told to watches."""
    VERSION[0] += 1
    item = json.loads(json.dumps(item))
    item["metadata"]["resourceVersion"] = str(VERSION[0])
    key = (item["metadata"]["namespace"], item["metadata"]["name"])
    if change == "DELETED":
        STORE[resource].pop(key, None)
    else:
        STORE[resource][key] = item
    CHANGES.append((VERSION[0], resource, change, item))
    LOCK.notify_all()
    return item


def change(resource, key, edit):
    with LOCK:
        item = STORE[resource].get(key)
        if item is not None:
            item = json.loads(json.dumps(item))
            edit(item)
            put(resource, item)


# The kubelet

def variables(container):
    table = {}
    for entry in container.get("env", []):
        text = re.sub(r"\$\$|\$\((\w+)\)",
                      lambda m: "$" if m.group(0) == "$$" else table.get(m.group(1), m.group(0)), entry.get("value", ""))
        table[entry["name"]] = text
    return table


def run_container(key, pod, container, phase):
    """Runs one container to its end; answers its state."""
    table = variables(container)
    expand = lambda word: re.sub(r"\$\$|\$\((\w+)\)",
                                 lambda m: "$" if m.group(0) == "$$" else table.get(m.group(1), m.group(0)), word)
    words = [expand(word) for word in container.get("command", []) + container.get("args", [])]
    started = now()
    log = open(f"{FOLDER}/logs/{key[1]}.{container['name']}", "ab")
    try:
        child = subprocess.Popen(
            words, env={"PATH": os.environ["PATH"], **table}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd=container.get("workingDir", FOLDER), start_new_session=True)
    except OSError as error:
        return {"terminated": {"exitCode": 128, "reason": "StartError", "message": str(error), "startedAt": started,
                               "finishedAt": now()}}
    RUNNING.setdefault(key, []).append(child)
    status(key, phase, container["name"], {"running": {"startedAt": started}}, "Running")
    code = child.wait()
    code = 128 - code if code < 0 else code
    return {"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "startedAt": started,
                           "finishedAt": now()}}


def status(key, phase, name, state, pod_phase=None):
    def edit(pod):
        statuses = pod["status"].setdefault(phase, [])
        for one in statuses:
            if one["name"] == name:
                one["state"] = state
                break
        else:
            statuses.append({"name": name, "state": state})
        if pod_phase:
            pod["status"]["phase"] = pod_phase
    change("pods", key, edit)


def run_pod(namespace, name, spec, metadata):
    """Init containers one after another, then all others; answers whether it succeeded and the first bad exit code."""
    key = (namespace, name)
    first, main = spec.get("initContainers") or [], spec["containers"]
    waiting = lambda list: [{"name": c["name"], "state": {"waiting": {"reason": "PodInitializing"}}} for c in list]
    with LOCK:
        put("pods", {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {**metadata, "name": name, "namespace": namespace, "creationTimestamp": now()},
            "spec": {**spec, "nodeName": "localhost"},
            "status": {"phase": "Pending", "initContainerStatuses": waiting(first), "containerStatuses": waiting(main)},
        }, "ADDED")
    code = 0
    for container in first:
        state = run_container(key, spec, container, "initContainerStatuses")
        status(key, "initContainerStatuses", container["name"], state)
        code = state["terminated"]["exitCode"]
        if code:
            break
    if not code:
        codes = {}

        def one(container):
            state = run_container(key, spec, container, "containerStatuses")
            status(key, "containerStatuses", container["name"], state)
            codes[container["name"]] = state["terminated"]["exitCode"]
        threads = [threading.Thread(target=one, args=(container,)) for container in main]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        code = next((c for c in codes.values() if c), 0)
    change("pods", key, lambda pod: pod["status"].update(phase="Failed" if code else "Succeeded"))
    return code


def run_job(job):
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    template = job["spec"]["template"]
    labels = {**template.get("metadata", {}).get("labels", {}), "batch.kubernetes.io/job-name": name, "job-name": name}
    tries = job["spec"].get("backoffLimit", 6) + 1
    for number in range(tries):
        pod = f"{name}-{number:05x}"
        code = run_pod(namespace, pod, template["spec"], {**template.get("metadata", {}), "labels": labels})
        if code == 0 or (namespace, name) not in STORE["jobs"]:
            break
    def edit(job):
        kind, reason = ("Failed", "BackoffLimitExceeded") if code else ("Complete", "CompletionsReached")
        first = "FailureTarget" if code else "SuccessCriteriaMet"
        job["status"]["conditions"] = [
            {"type": type, "status": "True", "reason": reason, "lastTransitionTime": now()} for type in (first, kind)]
    change("jobs", (namespace, name), edit)


# Argo's controller

def run_workflow(workflow):
    namespace, name = workflow["metadata"]["namespace"], workflow["metadata"]["name"]
    key = (namespace, name)
    spec = workflow["spec"]
    templates = {template["name"]: template for template in spec["templates"]}
    entry = templates[spec["entrypoint"]]

    def node(id, **fields):
        change("workflows", key, lambda w: w["status"].setdefault("nodes", {}).setdefault(id, {"id": id}).update(fields))

    def pod(template, display, full):
        single = full == name
        number = sum(map(ord, full)) * 7919 % 100000
        id = name if single else f"{name}-{number}"
        pod_name = name if single else f"{name}-{template['name']}-{number}"
        node(id, name=full, displayName=display, type="Pod", templateName=template["name"], phase="Pending")
        if "containerSet" in template:
            containers = template["containerSet"]["containers"]
        elif "script" in template:
            script = template["script"]
            containers = [{**script, "name": "main", "args": ["-c", script["source"]]}]
        else:
            containers = [{**template["container"], "name": "main"}]
        metadata = {
            "labels": {**(spec.get("podMetadata") or {}).get("labels", {}),
                       **template.get("metadata", {}).get("labels", {}), "workflows.argoproj.io/workflow": name},
            "annotations": {"workflows.argoproj.io/node-name": full}}
        node(id, phase="Running", startedAt=now(), hostNodeName="localhost")
        code = run_pod(namespace, pod_name,
                       {"initContainers": template.get("initContainers", []), "containers": containers}, metadata)
        node(id, phase="Failed" if code else "Succeeded", finishedAt=now(), outputs={"exitCode": str(code)},
             message=f"main: Error (exit code {code})" if code else "")
        return code

    def run(template, display, full):
        if "steps" not in template and "dag" not in template:
            return pod(template, display, full)
        group = template["dag"]["tasks"] if "dag" in template else None
        for number, steps in enumerate([[task] for task in group] if group else template["steps"]):
            codes = []
            def one(step):
                codes.append(run(templates[step["template"]], step["name"], f"{full}[{number}].{step['name']}"))
            threads = [threading.Thread(target=one, args=(step,)) for step in steps]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            if any(codes):
                return next(code for code in codes if code)
        return 0

    change("workflows", key, lambda w: w.update(status={"phase": "Running", "startedAt": now(), "nodes": {}}))
    code = run(entry, name, name)
    def edit(w):
        stopped = w["spec"].get("shutdown")
        message = f"Stopped with strategy '{stopped}'" if stopped else "child failed" if code else ""
        w["status"].update(phase="Failed" if code or stopped else "Succeeded", finishedAt=now(), message=message)
    change("workflows", key, edit)


def stop_pods(namespace, owner):
    with LOCK:
        keys = [key for key in list(STORE["pods"]) if key[0] == namespace and owner(STORE["pods"][key])]
    for key in keys:
        for child in RUNNING.get(key, []):
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
    return keys


# The API server

def create(resource, namespace, item, query):
    name = item.get("metadata", {}).get("name", "")
    kind = {"jobs": "Job.batch", "workflows": "Workflow.argoproj.io"}[resource]
    if not name:
        raise Refusal(422, "Invalid",
                      f'{kind} "" is invalid: metadata.name: Required value: name or generateName is required')
    if not NAME.match(name):
        raise Refusal(422, "Invalid", f'{kind} "{name}" is invalid: metadata.name: Invalid value: "{name}": '
                      "a lowercase RFC 1123")
    if query.get("fieldValidation") == "Strict" and "backofLimit" in item.get("spec", {}):
        raise Refusal(400, "BadRequest", 'Job in version "v1" cannot be handled as a Job: strict decoding error: '
                      'unknown field "spec.backofLimit"')
    with LOCK:
        if (namespace, name) in STORE[resource]:
            raise Refusal(409, "AlreadyExists", f'{FULL[resource]} "{name}" already exists')
        item = {**item, "metadata": {**item["metadata"], "namespace": namespace, "uid": f"uid-{VERSION[0] + 1}",
                                     "creationTimestamp": now()}, "status": {}}
        if query.get("dryRun") == "All":
            return item
        item = put(resource, item, "ADDED")
    note("created", f"{resource} {name}")
    threading.Thread(target=run_job if resource == "jobs" else run_workflow, args=(item,), daemon=True).start()
    return item


def find(resource, namespace, name):
    with LOCK:
        item = STORE[resource].get((namespace, name))
    if item is None:
        raise Refusal(404, "NotFound", f'{FULL.get(resource, resource)} "{name}" not found')
    return item


def delete(resource, namespace, name):
    item = find(resource, namespace, name)
    label = "workflows.argoproj.io/workflow" if resource == "workflows" else "batch.kubernetes.io/job-name"
    with LOCK:
        put(resource, item, "DELETED")
    for key in stop_pods(namespace, lambda pod: pod["metadata"]["labels"].get(label) == name):
        with LOCK:
            put("pods", STORE["pods"][key], "DELETED")


def matches(item, selector):
    labels = item["metadata"].get("labels", {})
    return all(labels.get(key) == value for key, value in (word.split("=", 1) for word in selector.split(",") if word))


def stop_workflow(namespace, name):
    item = find("workflows", namespace, name)
    change("workflows", (namespace, name), lambda w: w["spec"].update(shutdown="Stop"))
    stop_pods(namespace, lambda pod: pod["metadata"]["labels"].get("workflows.argoproj.io/workflow") == name)
    return item


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, type="application/json"):
        data = body if isinstance(body, bytes) else (json.dumps(body, separators=(",", ":")) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, refusal, is_argo):
        codes = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6}
        if is_argo:
            return self.answer(refusal.status, {"code": codes.get(refusal.status, 13), "message": refusal.message})
        self.answer(refusal.status, {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": refusal.message,
            "reason": refusal.reason, "code": refusal.status})

    def serve(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        note("requests", f"{self.command} {address.path} {address.query}")
        parts = address.path.strip("/").split("/")
        is_argo = parts[:3] == ["api", "v1", "workflows"]
        try:
            if is_argo:
                token = OPTIONS.get("token")
                if token and self.headers.get("Authorization") != f"Bearer {token}":
                    raise Refusal(401, "Unauthorized", "token not valid for running mode")
                resource, namespace, rest = "workflows", parts[3], parts[4:]
                work = lambda: self.argo(namespace, rest, query, body)
            else:
                at = parts.index("namespaces") if "namespaces" in parts else len(parts)
                if len(parts) < at + 3:
                    raise Refusal(404, "NotFound", "the server could not find the requested resource")
                namespace, resource, rest = parts[at + 1], parts[at + 2], parts[at + 3:]
                if resource not in STORE:
                    raise Refusal(404, "NotFound", "the server could not find the requested resource")
                work = lambda: self.cluster(resource, namespace, rest, query, body)
            step = f"{self.command} {resource}{'/name' if rest else ''}{''.join('/' + word for word in rest[1:])}"
            if query.get("watch") == "true":
                return self.watch(resource, namespace, query)
            if self.command != "GET":
                self.kill(step, "before")
            result = work()
            self.kill(step, "after")
            self.answer(*result)
        except Refusal as refusal:
            self.refuse(refusal, is_argo)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def kill(self, step, moment):
        """Waits for the daemon to say who it is, kills it and leaves without an answer."""
        # Events are asked for by chance only.
        if "kill" not in OPTIONS or " events" in step:
            return
        with LOCK:
            if (step, moment) in KILLED:
                return
            KILLED.add((step, moment))
        for _ in range(3000):
            try:
                with open(f"{FOLDER}/pid") as file:
                    pid = int(file.read())
                break
            except (OSError, ValueError):
                time.sleep(0.01)
        else:
            return
        os.unlink(f"{FOLDER}/pid")
        note("killed", f"{moment} {step}")
        os.kill(pid, signal.SIGKILL)
        self.close_connection = True
        raise ConnectionAbortedError

    def cluster(self, resource, namespace, rest, query, body):
        if self.command == "POST" and not rest and resource in FULL:
            return 201, create(resource, namespace, body, query)
        if self.command == "GET" and len(rest) == 2 and rest[1] == "log" and resource == "pods":
            find("pods", namespace, rest[0])
            file = f"{FOLDER}/logs/{rest[0]}.{query.get('container')}"
            if not os.path.exists(file):
                raise Refusal(400, "BadRequest", f'container "{query.get("container")}" in pod "{rest[0]}" is waiting '
                              "to start: PodInitializing")
            with open(file, "rb") as log:
                return 200, log.read(int(query.get("limitBytes", 1 << 30))), "text/plain"
        if self.command == "GET" and len(rest) == 1:
            return 200, find(resource, namespace, rest[0])
        if self.command == "GET" and not rest:
            with LOCK:
                items = [item for key, item in sorted(STORE[resource].items())
                         if key[0] == namespace and matches(item, query.get("labelSelector", ""))]
                return 200, {"kind": KINDS[resource] + "List", "apiVersion": "v1",
                             "metadata": {"resourceVersion": str(VERSION[0])}, "items": items}
        if self.command == "DELETE" and len(rest) == 1:
            delete(resource, namespace, rest[0])
            return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        if self.command == "PATCH" and resource == "workflows" and (body or {}).get("spec") == {"shutdown": "Stop"}:
            if self.headers.get("Content-Type") != "application/merge-patch+json":
                raise Refusal(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
            return 200, stop_workflow(namespace, rest[0])
        raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def argo(self, namespace, rest, query, body):
        if self.command == "POST" and not rest:
            return 200, create("workflows", namespace, body["workflow"], {})
        if self.command == "GET" and not rest:
            with LOCK:
                items = [item for key, item in sorted(STORE["workflows"].items())
                         if key[0] == namespace and matches(item, query.get("listOptions.labelSelector", ""))]
                return 200, {"metadata": {"resourceVersion": str(VERSION[0])}, "items": items or None}
        if self.command == "GET" and len(rest) == 1:
            return 200, find("workflows", namespace, rest[0])
        if self.command == "GET" and rest[1:] == ["log"]:
            find("workflows", namespace, rest[0])
            lines = []
            with LOCK:
                pods = [key[1] for key, pod in STORE["pods"].items() if key[0] == namespace
                        and pod["metadata"]["labels"].get("workflows.argoproj.io/workflow") == rest[0]]
            for pod in sorted(pods):
                file = f"{FOLDER}/logs/{pod}.{query.get('logOptions.container', 'main')}"
                if os.path.exists(file):
                    with open(file) as log:
                        lines += [{"result": {"content": line.rstrip("\n"), "podName": pod}} for line in log]
            return 200, "".join(json.dumps(line) + "\n" for line in lines).encode()
        if self.command == "PUT" and rest[1:] == ["stop"]:
            if find("workflows", namespace, rest[0])["status"].get("finishedAt"):
                raise Refusal(400, "", "cannot shutdown a completed workflow")
            return 200, stop_workflow(namespace, rest[0])
        if self.command == "DELETE" and len(rest) == 1:
            delete("workflows", namespace, rest[0])
            return 200, {}
        raise Refusal(404, "NotFound", "Not Found")

    def watch(self, resource, namespace, query):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        at = int(query.get("resourceVersion") or 0)
        end = time.monotonic() + int(query.get("timeoutSeconds", 60))
        kept = int(OPTIONS.get("forget", 1 << 30))

        def send(line):
            data = (json.dumps(line, separators=(",", ":")) + "\n").encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        try:
            while time.monotonic() < end:
                with LOCK:
                    oldest = CHANGES[-kept][0] if len(CHANGES) >= kept else 0
                    news = [one for one in CHANGES if one[0] > at and one[1] == resource]
                    if not news:
                        LOCK.wait(min(1, max(0, end - time.monotonic())))
                if at < oldest - 1:
                    send({"type": "ERROR", "object": {
                        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                        "message": f"too old resource version: {at} ({oldest})", "reason": "Expired", "code": 410}})
                    break
                for version, _, type, item in news:
                    at = version
                    if item["metadata"]["namespace"] == namespace and matches(item, query.get("labelSelector", "")):
                        send({"type": type, "object": item})
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, BrokenPipeError)):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", int(OPTIONS.get("port", 0))), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()

"""The real servers that we compare with: private ports, private data folders, ended in any case."""

import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import build
import load
import settings


def free_port():
    """Below those that the kernel gives to connections, one of which may take a free port before its server does."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, max(first, 20_000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def output(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options).stdout


class DoesNotStart(RuntimeError):
    """It has ended instead, or nobody listens after a minute."""


class Server:
    """One server in a process group of its own."""

    title = ""
    user = ""                       # whom it runs as when we are root
    speaks_c = True                 # syncs through the C library
    tree = False                    # its children do the work

    def __init__(self, mood):
        self.mood = mood
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-", dir=settings.data()))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.process = None
        self.others = []

    def __enter__(self):
        try:
            self.own()
            self.prepare()
            wrapper, extra = ([], self.mood.environment()) if self.speaks_c else self.mood.wrapper()
            self.process = self.spawn([*wrapper, *self.command()], {**self.environment(), **extra})
            self.wait_for_port()
            self.arrange()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def own(self):
        if self.as_user():
            shutil.chown(self.folder, self.user)

    def as_user(self):
        return bool(self.user) and os.geteuid() == 0

    def spawn(self, command, environment):
        user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"] if self.as_user() else []
        if user and environment.get("LD_PRELOAD"):
            # Not for setpriv itself.
            preload = [f"{name}={environment.pop(name)}" for name in ("LD_PRELOAD", "SYNC_DELAY_US")]
            user += ["env", *preload]
        with open(self.folder.parent / f"{self.folder.name}.log", "ab") as log:
            return subprocess.Popen(
                [str(part) for part in [*user, *command]], env={**self.clean(), **environment}, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def clean(self):
        home = pwd.getpwnam(self.user).pw_dir if self.as_user() else str(self.folder)
        return {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": home, "LANG": "C.UTF-8"}

    def log(self):
        """The last that it has printed, and what it says in files of its own."""
        files = [self.folder.parent / f"{self.folder.name}.log", *sorted(self.folder.glob("log/*.log"))]
        return "\n".join(file.read_text(errors="replace")[-1000:] for file in files)

    def wait_for_port(self):
        limit = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > limit:
                    raise DoesNotStart(f"{self.title} does not start: {self.log()}") from None
                time.sleep(0.05)

    def stop(self):
        mine = [(self.process, self.stop_signal())] + [(other, signal.SIGTERM) for other in self.others]
        for process, number in mine:
            if process is None:
                continue
            try:
                os.killpg(process.pid, number)
                process.wait(10)
            except subprocess.TimeoutExpired:
                pass
            except ProcessLookupError:
                process.poll()
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        self.process, self.others = None, []
        shutil.rmtree(self.folder, ignore_errors=True)

    def talk(self, *lines, until, seconds=10):
        """For protocols of lines: sends, and reads until a word has come."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as connection:
            connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
            text = ""
            while until not in text:
                got = connection.recv(65536)
                if not got:
                    break
                text += got.decode(errors="replace")
            return text

    def measure(self, publishers):
        return load.run(self.protocol, self.port, connections=publishers, target="bench", pids=[self.process.pid],
                        tree=self.tree or not self.speaks_c)

    # What each of them fills in.
    protocol = ""
    version = ""

    def stop_signal(self):
        return signal.SIGTERM

    def prepare(self):
        """Before it starts."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def arrange(self):
        """When it answers: queues, tables."""


class Redis(Server):
    title = "Redis streams, appendfsync always"
    user = "redis"
    protocol = "redis"

    def command(self):
        return ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, "--appendonly", "yes",
                "--appendfsync", "always", "--save", "", "--daemonize", "no"]

    def arrange(self):
        self.version = re.search(r"redis_version:(\S+)", self.talk("INFO server", until="redis_version")).group(1)


class JetStream(Server):
    title = "NATS JetStream, sync_interval always"
    user = "nobody"
    speaks_c = False
    protocol = "nats"

    def own(self):
        if self.as_user():
            shutil.chown(self.folder, self.user, "nogroup")

    def spawn(self, command, environment):
        # nobody's group has another name.
        if self.as_user():
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
            self.user = ""
        return super().spawn(command, environment)

    def prepare(self):
        # Where everybody may read it, wherever the repository lies.
        self.binary = self.folder / "nats-server"
        shutil.copy2(build.NATS_SERVER, self.binary)
        self.binary.chmod(0o755)
        (self.folder / "nats.conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{self.folder}/store", sync_interval: always, max_file_store: 20GB }}\n')
        self.version = re.search(r"v([\d.]+)", output(self.binary, "--version")).group(1)

    def command(self):
        return [self.binary, "-c", self.folder / "nats.conf"]

    def arrange(self):
        request = '{"name":"BENCH","subjects":["bench"],"storage":"file","retention":"limits","num_replicas":1}'
        answer = self.talk(
            'CONNECT {"verbose":false,"protocol":1}', "SUB made 1",
            f"PUB $JS.API.STREAM.CREATE.BENCH made {len(request)}\r\n{request}", until="stream_create_response")
        if '"error"' in answer:
            raise RuntimeError(f"JetStream refuses the stream: {answer[-300:]}")


class PostgreSQL(Server):
    title = "PostgreSQL, synchronous_commit on"
    user = "postgres"
    protocol = "postgres"
    tree = True

    @property
    def programs(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        if not found:
            raise RuntimeError("PostgreSQL is not installed; scripts/setup --bench installs it")
        return found[-1]

    def once(self, *command):
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if self.as_user() else []
        done = subprocess.run([str(part) for part in [*user, *command]], capture_output=True, text=True,
                              env=self.clean(), cwd=self.folder)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr[-400:]}")
        return done.stdout

    def prepare(self):
        self.once(self.programs / "initdb", "-D", self.folder / "data", "-U", "bench", "-A", "trust", "-E", "UTF8",
                  "--no-sync")
        self.version = re.search(r"([\d.]+)", self.once(self.programs / "postgres", "--version")).group(1)

    def command(self):
        return [self.programs / "postgres", "-D", self.folder / "data", "-p", self.port, "-h", "127.0.0.1", "-k",
                self.folder, "-c", "max_connections=300", "-c", "synchronous_commit=on", "-c", "fsync=on"]

    def arrange(self):
        sql = "CREATE TABLE bench (id bigserial PRIMARY KEY, body jsonb NOT NULL, at timestamptz NOT NULL)"
        options = ["-h", "127.0.0.1", "-p", self.port, "-U", "bench", "-d", "postgres", "-q"]
        limit = time.monotonic() + 60
        while True:
            try:
                self.once(self.programs / "psql", *options, "-c", "CREATE DATABASE bench")
                break
            except RuntimeError as problem:     # it listens before it serves
                if "starting up" not in str(problem) or time.monotonic() > limit:
                    raise
                time.sleep(0.1)
        options[7] = "bench"
        self.once(self.programs / "psql", *options, "-c", sql)

    def stop_signal(self):
        # Fast shutdown.
        return signal.SIGINT


class RabbitMQ(Server):
    title = "RabbitMQ, durable classic queue, confirms"
    user = "rabbitmq"
    protocol = "amqp"
    tree = True

    def prepare(self):
        self.epmd_port = free_port()
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        self.version = output("dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server").split("-")[0]
        # Ours alone; the server would start one that stays.
        self.others.append(self.spawn(["epmd", "-port", self.epmd_port, "-address", "127.0.0.1"], {}))

    def clean(self):
        return {**super().clean(), "HOME": str(self.folder)}

    def environment(self):
        return {
            "ERL_EPMD_PORT": str(self.epmd_port), "RABBITMQ_NODENAME": f"bench{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()), "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"), "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"), "RABBITMQ_HOME": "/usr/lib/rabbitmq",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }

    def command(self):
        return ["/usr/lib/rabbitmq/bin/rabbitmq-server"]

    def measure(self, publishers):
        # One channel per publisher over few connections, which is what its makers recommend.
        connections = min(publishers, 8)
        return load.run("amqp", self.port, connections=connections, lanes=publishers // connections, target="bench",
                        pids=[self.process.pid], tree=True)


class Sink(Server):
    """nginx that answers 200 to everything, and counts."""

    title = "nginx"

    def __init__(self):
        from disk import AS_IS
        super().__init__(AS_IS)

    def prepare(self):
        (self.folder / "nginx.conf").write_text(
            f"worker_processes 1; daemon off; pid {self.folder}/pid; error_log stderr crit;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; keepalive_requests 1000000000;\n"
            + "".join(f" {name}_temp_path {self.folder}/{name};" for name in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"\n server {{ listen 127.0.0.1:{self.port}; location / {{ return 200 'ok'; }}"
            " location /status { stub_status; } } }\n")

    def command(self):
        return ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf"]


ALL = {"rabbitmq": RabbitMQ, "redis": Redis, "jetstream": JetStream, "postgresql": PostgreSQL}

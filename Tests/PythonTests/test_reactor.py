"""Reactor, its message, settings, log, state and messages.

    python3 -m unittest discover -s Tests/PythonTests
"""

import json
import os
import subprocess
import sys
import unittest

from support import ACTOR, EXECUTION, SDK, VECTORS, SDKTest

from reactors import AgaveError, ApiError, AttrDict
from reactors.context import get_context
from reactors.jsonschema7 import SchemaError, ValidationError
from reactors.settings import ConfigError, read_settings, variable_name

PIPELINES = "pipelines:\n  pipeline_uuid: f0f417f2-ba8b-5ac4-b421-255b69553391\n  updates_nonce: ~\n"


class ContextTests(SDKTest):
    def test_vectors(self):
        for vector in VECTORS["message_parse"]:
            with self.subTest(vector["MSG"]):
                message = get_context({"MSG": vector["MSG"]})["message_dict"]
                expected = vector["effective_message_in_managers"]
                self.assertEqual(message, expected if isinstance(expected, dict) else {})

    def test_everything_that_an_execution_is_told(self):
        context = get_context({
            "MSG": "{'a': {'b': None, 'c': True}}", "_abaco_actor_id": ACTOR, "_abaco_execution_id": EXECUTION,
            "_abaco_username": "ada", "_abaco_actor_state": "{'n': 1}", "_abaco_actor_dbid": "LAB_" + ACTOR,
            "_abaco_Content_Type": "application/json", "x-nonce": "LAB_abc", "uuid": "58fa", "actor_id": "other",
            "username": "mallory", "raw_message": "forged", "message_dict": "forged",
        })
        self.assertEqual(context.message_dict, {"a": {"b": None, "c": True}})
        self.assertIsNone(context.message_dict.a.b)
        self.assertEqual(context.raw_message, "{'a': {'b': None, 'c': True}}")
        self.assertEqual((context.actor_id, context.execution_id, context.username), (ACTOR, EXECUTION, "ada"))
        self.assertEqual((context.actor_dbid, context.state), ("LAB_" + ACTOR, {"n": 1}))
        self.assertEqual(
            (context.content_type, context["x-nonce"], context.uuid), ("application/json", "LAB_abc", "58fa"))
        self.assertEqual(context.raw_message_parse_log, "")

    def test_a_parameter_named_state_is_seen(self):
        self.environment(state="FINISHED", _abaco_actor_state="{'n': 1}")
        rx, _ = self.reactor()
        self.assertEqual((rx.context.state, rx.state), ("FINISHED", {"n": 1}))

    def test_long_and_binary_messages_come_from_the_file(self):
        self.write("message", json.dumps({"k": "x" * 200000}))
        context = get_context({"REACTORD_MESSAGE_FILE": str(self.folder / "message"), "_abaco_actor_id": ACTOR})
        self.assertEqual(len(context.message_dict.k), 200000)
        (self.folder / "message").write_bytes(b"\x00\xff")
        context = get_context({
            "REACTORD_MESSAGE_FILE": str(self.folder / "message"), "_abaco_Content_Type": "application/octet-stream"})
        self.assertEqual((context.raw_message, context.message_dict), (b"\x00\xff", {}))

    def test_text_is_no_object(self):
        context = get_context({"MSG": "hello there"})
        self.assertEqual((context.raw_message, context.message_dict), ("hello there", {}))
        self.assertIn("neither", context.raw_message_parse_log)

    def test_outside_of_an_execution(self):
        context = get_context({})
        self.assertEqual((context.state, context.content_type), ({}, "application/json"))
        self.assertTrue(context.actor_id and context.execution_id and context.actor_dbid)


class SettingsTests(SDKTest):
    def test_vectors(self):
        for vector in VECTORS["config_env_override"]:
            with self.subTest(vector["note"]):
                self.write("config.yml", vector["config_yml"])
                self.assertEqual(read_settings([str(self.folder)], vector["env"]), vector["settings"])
        for vector in VECTORS["config_varname"]:
            self.assertEqual(variable_name(vector["keys"]), vector["name"])

    def test_later_folders_win(self):
        self.write("one/config.yml", "a: {b: 1, c: 2}\nl: [1, 2]\nn: text\n")
        self.write("two/config.yml", "a: {c: 3, d: 4}\nl: [5]\nn: ~\n")
        settings = read_settings([str(self.folder / name) for name in ("one", "none", "two")], {})
        self.assertEqual(settings, {"a": {"b": 1, "c": 3, "d": 4}, "l": [5], "n": None})

    def test_nested_attributes(self):
        self.write("config.yml", PIPELINES)
        self.environment(_REACTOR_PIPELINES_UPDATES_NONCE="SD2E_XqsfKLFd3nrN")
        rx, _ = self.reactor()
        self.assertEqual(rx.settings.pipelines.pipeline_uuid, "f0f417f2-ba8b-5ac4-b421-255b69553391")
        self.assertEqual(rx.settings["pipelines"].updates_nonce, "SD2E_XqsfKLFd3nrN")
        with self.assertRaisesRegex(AttributeError, "no 'job_manager'.*pipeline_uuid, updates_nonce"):
            rx.settings.pipelines.job_manager
        self.assertEqual(json.loads(json.dumps(rx.settings))["pipelines"]["updates_nonce"], "SD2E_XqsfKLFd3nrN")

    def test_a_message_overrides_settings(self):
        self.write("config.yml", "a: {b: 1, c: 2}\n")
        self.environment(MSG="{'__options': {'settings': {'a': {'c': 5}}}}")
        self.assertEqual(self.reactor()[0].settings, {"a": {"b": 1, "c": 5}})

    def test_a_message_overrides_no_secret(self):
        self.write("config.yml", "slack: {webhook: ~, channel: lab}\n")
        self.environment(
            _REACTOR_SLACK_WEBHOOK="https://ours", _REACTOR_STOLEN="never",
            MSG="{'__options': {'settings': {'slack': {'webhook': 'https://theirs', 'channel': 'x'}, 'stolen': None}}}")
        settings = self.reactor()[0].settings
        self.assertEqual(settings, {"slack": {"webhook": "https://ours", "channel": "x"}, "stolen": None})
        self.environment(MSG="{'__options': {'settings': {'slack': 'x'}}}")
        self.assertEqual(self.reactor()[0].settings.slack, {"webhook": "https://ours"})

    def test_a_mistake_is_named_with_file_and_line(self):
        for text, line, word in (("a: 1\n\tb: 2\n", 2, "tab"), ("- a\n", 1, "key: value"), ("a: [1\n", 1, "bracket")):
            self.write("config.yml", text)
            with self.assertRaisesRegex(ConfigError, r"config\.yml:{}: .*{}".format(line, word)):
                read_settings([str(self.folder)], {})

    def test_merging_attribute_dicts(self):
        left = AttrDict({"a": {"b": 1}, "l": [{"x": 1}]})
        self.assertEqual(left + {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}, "l": [{"x": 1}]})
        self.assertEqual(left.l[0].x, 1)
        left.a.d = {"e": 1}
        self.assertEqual(left.a.d.e, 1)
        self.assertIs(type(left.as_dict()["a"]), dict)
        del left.a.d
        self.assertFalse(hasattr(left.a, "d"))


class LogTests(SDKTest):
    def test_lines_and_levels(self):
        self.environment()
        rx, log = self.reactor()
        rx.logger.debug("one %s", 1)
        rx.logger.warning("two")
        self.assertEqual(log.getvalue(), "{0} DEBUG one 1\n{0} WARNING two\n".format(ACTOR))

    def test_level_and_times(self):
        self.write("config.yml", "logs: {level: warning, timestamps: true}\n")
        self.environment()
        rx, log = self.reactor()
        rx.logger.info("one")
        rx.logger.error("two")
        self.assertRegex(log.getvalue(), r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ %s ERROR two\n\Z" % ACTOR)

    def test_secrets_are_struck_out(self):
        self.environment(
            _REACTOR_MONGODB_AUTHN="mongo-secret", _REACTOR_SHORT="abcd", _abaco_access_token="rxe_token",
            _REACTOR_TEMP="/scratch/folder", _REACTOR_LOGS_LEVEL="DEBUG", **{"x-nonce": "LAB_nonce1"})
        rx, log = self.reactor(redactions=["explicit-one"])
        rx.redact("later-one")
        try:
            raise ValueError("mongo-secret in an error")
        except ValueError:
            rx.logger.exception("abcd mongo-secret explicit-one later-one rxe_token LAB_nonce1 /scratch/folder")
        text = log.getvalue()
        self.assertIn("ERROR abcd ***** ***** ***** ***** ***** /scratch/folder\n", text)
        self.assertIn("ValueError: ***** in an error", text)

    def test_a_file_beside_the_screen(self):
        self.write("config.yml", "logs: {file: run.log}\n")
        self.environment(_REACTOR_TEMP=str(self.folder))
        rx, log = self.reactor()
        rx.logger.info("both")
        for handler in rx.logger.handlers:
            handler.close()
        self.assertEqual((self.folder / "run.log").read_text(), log.getvalue())

    def test_slack(self):
        fake = self.daemon()
        fake.answers["POST /hook"] = [(200, {})]
        self.write("config.yml", "slack: {webhook: ~, channel: lab}\n")
        self.environment(_REACTOR_SLACK_WEBHOOK=fake.url + "/hook")
        rx, log = self.reactor()
        rx.loggers.slack.info("done with %s", "A2")
        self.assertEqual(fake.requests[0]["body"], {"channel": "lab", "text": ACTOR + " INFO done with A2"})
        fake.answers["POST /hook"] = [(500, {})]
        rx.loggers.slack.info("one")
        rx.loggers.slack.info("two")
        self.assertEqual(log.getvalue(), ACTOR + " ERROR nothing could be posted to Slack: HTTPError\n")

    def test_no_slack(self):
        rx, log = self.reactor()
        rx.loggers.slack.info("nowhere")
        self.assertEqual(log.getvalue(), "")


class ReactorTests(SDKTest):
    def test_sessions(self):
        for vector in VECTORS["sdk_session"]:
            self.environment(**vector["env"])
            self.assertEqual(self.reactor()[0].session, vector["session"])
            for name in vector["env"]:
                del os.environ[name]

    def test_a_nickname_stays_over_the_attempts(self):
        self.environment()
        names = {self.reactor()[0].nickname for _ in range(3)}
        self.assertEqual(len(names), 1)
        self.assertRegex(names.pop(), r"\A[a-z]{2,8}-[a-z]{2,8}\Z")

    def test_local(self):
        for vector in VECTORS["sdk_localonly"]:
            self.environment(**vector["env"])
            expected = vector.get("local", vector.get("local_python_reactors"))
            self.assertEqual(self.reactor()[0].local, expected)

    def test_the_end(self):
        self.environment()
        rx, log = self.reactor()
        with self.assertRaises(SystemExit) as end:
            rx.on_success("all done")
        self.assertEqual(end.exception.code, 0)
        with self.assertRaises(SystemExit) as end:
            rx.on_failure("no luck", ValueError("why"))
        self.assertEqual(end.exception.code, 1)
        self.assertEqual(log.getvalue(), "{0} INFO all done\n{0} CRITICAL no luck : why\n".format(ACTOR))
        self.assertGreaterEqual(rx.elapsed(), 0)

    def test_aliases(self):
        self.write("config.yml", "linked_reactors:\n  taconator: {id: wZbBo78V1JPZQ}\n  plain: other\n")
        self.environment()
        rx, _ = self.reactor()
        for word, expected in (
            ("me", ACTOR), ("SELF", ACTOR), ("OZYYyRpreyYBz", "OZYYyRpreyYBz"), ("rRpyeOZYYyYBz", "rRpyeOZYYyYBz"),
            ("taconator", "wZbBo78V1JPZQ"), ("plain", "other"), ("jobs-manager.prod", "jobs-manager.prod"),
        ):
            self.assertEqual(rx.resolve_actor_alias(word), expected)


class MessageTests(SDKTest):
    PATH = "POST /actors/v2/other/messages"

    def setUp(self):
        super().setUp()
        self.fake = self.daemon()
        self.environment()
        self.rx, self.log = self.reactor()

    def accepted(self, id="abc"):
        return 200, {"status": "success", "result": {"executionId": id}}

    def test_it_arrives_with_its_tags(self):
        self.fake.answers[self.PATH] = [self.accepted()]
        self.assertEqual(self.rx.send_message("other", {"a": None}, environment={"k": "v 1"}), "abc")
        request = self.fake.requests[0]
        self.assertEqual(request["body"], {"a": None})
        self.assertEqual(request["headers"]["Authorization"], "Bearer rxe_0123456789")
        self.assertEqual(
            dict(pair.split("=") for pair in request["query"].split("&")),
            {"k": "v+1", "x_src_actor_id": ACTOR, "x_src_execution_id": EXECUTION, "x_session": self.rx.session})
        self.rx.send_message("other", {"a": 1}, senderTags=False)
        self.assertEqual(self.fake.requests[1]["query"], "")

    def test_texts_are_wrapped(self):
        self.fake.answers[self.PATH] = [self.accepted()]
        for message, body in (
            ("hello", {"message": "hello"}), ([1, 2], [1, 2]), ({"message": "x"}, {"message": {"message": "x"}}),
        ):
            self.rx.send_message("other", message)
            self.assertEqual(self.fake.requests[-1]["body"], body)

    def test_a_busy_daemon_is_asked_again(self):
        busy = (503, {"message": "draining"})
        self.fake.answers[self.PATH] = [busy, busy, self.accepted()]
        self.assertEqual(self.rx.send_message("other", {}), "abc")
        keys = {request["headers"]["Idempotency-Key"] for request in self.fake.requests}
        self.assertEqual((len(self.fake.requests), len(keys)), (3, 1))
        self.assertEqual(self.slept[0], 1)
        self.assertTrue(1 <= self.slept[1] <= 2)

    def test_a_refused_key_is_told_and_is_no_success(self):
        self.fake.answers[self.PATH] = [(422, {"message": "the key was used for another message"})]
        self.assertIsNone(self.rx.send_message("other", {"a": 1}))
        self.assertEqual(len(self.fake.requests), 1)
        words = " ERROR Message to other failed after 1 tries with errors: ['the key was used for another message"
        self.assertIn(words, self.log.getvalue())
        with self.assertRaisesRegex(AgaveError, "HTTP 422"):
            self.rx.send_message("other", {"a": 1}, ignoreErrors=False)

    def test_it_gives_up(self):
        self.fake.answers[self.PATH] = [(503, {"message": "draining"})]
        self.assertIsNone(self.rx.send_message("other", {}, retryMaxAttempts=2))
        self.assertEqual(len(self.fake.requests), 3)
        words = "ERROR Message to other failed after 3 tries with errors: ['draining (HTTP 503)'"
        self.assertIn(words, self.log.getvalue())
        with self.assertRaisesRegex(AgaveError, "Message to other failed after 1 tries"):
            self.rx.send_message("other", {}, ignoreErrors=False, retryMaxAttempts=0)

    def test_nobody_there(self):
        self.fake.answers[self.PATH] = [(404, {"message": "Actor with identifier 'other' not found"})]
        self.assertIsNone(self.rx.send_message("other", {}))
        self.assertEqual(len(self.fake.requests), 1)

    def test_a_daemon_that_is_away(self):
        self.rx.client.api.server = "http://127.0.0.1:1"
        with self.assertRaisesRegex(AgaveError, "cannot be reached"):
            self.rx.send_message("other", {}, ignoreErrors=False, retryMaxAttempts=1)

    def test_what_is_no_json(self):
        with self.assertRaisesRegex(AgaveError, "cannot be written as JSON"):
            self.rx.send_message("other", {"when": object()}, ignoreErrors=False)
        self.assertEqual(self.fake.requests, [])

    def test_redirects_do_not_take_the_token_along(self):
        self.fake.answers[self.PATH] = [(302, {})]
        self.assertIsNone(self.rx.send_message("other", {}))
        self.assertEqual(len(self.fake.requests), 1)

    def test_local_sends_nothing(self):
        os.environ["LOCALONLY"] = "1"
        rx, log = self.reactor()
        self.assertTrue(rx.send_message("other", {"a": 1}))
        self.assertEqual(self.fake.requests, [])
        self.assertIn("not sent to other: {'a': 1}", log.getvalue())

    def test_state(self):
        path = "POST /actors/v2/{}/state".format(ACTOR)
        self.fake.answers[path] = [(200, {"result": {}})]
        self.rx.state["n"] = 1
        self.rx.update_state()
        self.rx.state = {"m": 2}
        self.rx.client.actors.updateState(actorId=ACTOR, body={"l": 3})
        self.assertEqual([request["body"] for request in self.fake.requests], [{"n": 1}, {"m": 2}, {"l": 3}])
        with self.assertRaises(TypeError):
            self.rx.update_state([1])
        self.fake.answers[path] = [(404, {"message": "actor is stateless."})]
        with self.assertRaisesRegex(ApiError, r"actor is stateless. \(HTTP 404\)"):
            self.rx.update_state()

    def test_nonces_and_webhooks(self):
        base = "/actors/v2/{}/nonces".format(ACTOR)
        self.fake.answers["POST " + base] = [(200, {"result": {"id": "LAB_abc123", "maxUses": -1}})]
        self.fake.answers["GET " + base] = [(200, {"result": [{"id": "LAB_abc123"}]})]
        self.fake.answers["DELETE " + base + "/LAB_abc123"] = [(200, {"result": None})]
        self.assertEqual(self.rx.add_nonce().maxUses, -1)
        self.assertEqual(self.fake.requests[-1]["body"], {"level": "READ", "maxUses": 1})
        webhook = self.rx.create_webhook()
        self.assertEqual(self.fake.requests[-1]["body"], {"level": "EXECUTE", "maxUses": -1})
        self.assertEqual(webhook, "{}/actors/v2/{}/messages?x-nonce=LAB_abc123".format(self.fake.url, ACTOR))
        self.rx.delete_webhook(webhook)
        self.assertEqual(self.fake.requests[-1]["method"], "DELETE")
        self.rx.delete_all_nonces()
        self.assertEqual(self.fake.requests[-1]["path"], base + "/LAB_abc123")
        with self.assertRaisesRegex(ValueError, "no webhook of actor"):
            self.rx.delete_webhook("https://elsewhere/actors/v2/other/messages?x-nonce=LAB_abc123")

    def test_what_the_client_does_not_have(self):
        for call, words in (
            (lambda: self.rx.client.jobs, "client.jobs is a part of Agave"),
            (lambda: self.rx.client.actors.addAlias, "client.actors has no addAlias; it has addNonce"),
        ):
            with self.assertRaisesRegex(AttributeError, words):
                call()

    def test_without_a_daemon(self):
        os.environ.pop("_abaco_api_server")
        rx, _ = self.reactor()
        with self.assertRaisesRegex(AgaveError, "set REACTORD_URL and REACTORD_TOKEN"):
            rx.send_message("other", {}, ignoreErrors=False)


class KeyTests(SDKTest):
    """Scripts as the daemon starts them: processes that lead their sessions."""

    PATH = "POST /actors/v2/other/messages"

    def setUp(self):
        super().setUp()
        self.fake = self.daemon()
        self.fake.answers[self.PATH] = [(200, {"result": {"executionId": "abc"}})]
        self.environment(PYTHONPATH=str(SDK), PYTHONDONTWRITEBYTECODE="1")

    def keys(self, *lines, command=(sys.executable,), **variables):
        """The keys under which a script sends, in order."""
        self.write("reactor.py", "\n".join(("from reactors.runtime import Reactor",) + lines))
        begin = len(self.fake.requests)
        result = subprocess.run(
            [*command, "reactor.py"], env=dict(os.environ, **variables), start_new_session=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.assertEqual(result.returncode, 0, result.stdout)
        keys = [request["headers"]["Idempotency-Key"] for request in self.fake.requests[begin:]]
        self.assertTrue(all(key.startswith(EXECUTION + "-") for key in keys))
        return keys

    def test_the_next_attempt_sends_what_was_sent_before_under_the_same_keys(self):
        lines = ["rx = Reactor()"] + [
            "rx.send_message('other', {})".format(text) for text in ("{'a': 1}", "{'a': 2}", "{'a': 1}", "'text'")]
        first = self.keys(*lines)
        self.assertEqual((len(first), len(set(first))), (4, 4))
        self.assertEqual(self.keys(*lines), first)
        self.assertEqual(self.keys(*lines[:2]), first[:1])
        self.assertNotIn(self.keys("Reactor().send_message('other', {'a': 3})")[0], first)

    def test_the_order_of_keys_is_a_part_of_the_message(self):
        # The daemon compares bytes: what differs under one key would be refused.
        one = self.keys("Reactor().send_message('other', {'a': 1, 'b': 2})")
        self.assertNotEqual(self.keys("Reactor().send_message('other', {'b': 2, 'a': 1})"), one)

    def test_several_reactors_of_a_script_count_together(self):
        lines = ["for _ in range(3): Reactor().send_message('other', {'do': 'it'})"]
        first = self.keys(*lines)
        self.assertEqual((len(first), len(set(first))), (3, 3))
        self.assertEqual(self.keys(*lines), first)

    def test_threads_count_together(self):
        keys = self.keys(
            "from concurrent.futures import ThreadPoolExecutor", "rx = Reactor()",
            "with ThreadPoolExecutor(4) as pool:",
            "    list(pool.map(lambda _: rx.send_message('other', {'tick': 1}), range(12)))")
        self.assertEqual((len(keys), len(set(keys))), (12, 12))

    def test_what_a_pool_sends_arrives(self):
        for method in ("fork", "spawn"):
            with self.subTest(method):
                keys = self.keys(
                    "import multiprocessing", "def send(_):",
                    "    return Reactor().send_message('other', {'tick': 1})", "if __name__ == '__main__':",
                    "    send(0)", "    with multiprocessing.get_context('{}').Pool(3) as pool:".format(method),
                    "        assert pool.map(send, range(6), 1) == ['abc'] * 6")
                self.assertEqual((len(keys), len(set(keys))), (7, 7))

    def test_two_programs_of_one_script_do_not_share_keys(self):
        self.write("run.sh", "{0} $1\n{0} $1\n".format(sys.executable))
        keys = self.keys("Reactor().send_message('other', {'tick': 1})", command=("sh", "run.sh"))
        self.assertEqual((len(keys), len(set(keys))), (2, 2))

    def test_nobody_knows_a_key_without_the_token(self):
        line = "Reactor().send_message('other', {'a': 1})"
        keys = [self.keys(line, _abaco_access_token=token)[0] for token in ("rxe_one", "rxe_two", "rxe_one")]
        self.assertEqual(keys[0], keys[2])
        self.assertNotEqual(keys[0], keys[1])
        # Without one there is nothing that only this execution has.
        random = [self.keys(line, _abaco_access_token="", REACTORD_TOKEN="own")[0] for _ in range(2)]
        self.assertEqual(len(set(random)), 2)


class ValidationTests(SDKTest):
    SCHEMA = '{"type": "object", "required": ["name"], "additionalProperties": false, "properties": {"name": {}}}'

    def setUp(self):
        super().setUp()
        self.environment()
        self.rx, self.log = self.reactor()

    def test_beside_the_script(self):
        self.write("message.jsonschema", self.SCHEMA)
        self.assertIs(self.rx.validate_message({"name": "Ada"}), True)
        self.assertIs(self.rx.validate_message({"nam": "Ada"}), False)
        # As it lies in an image.
        self.assertIs(self.rx.validate_message({"name": "Ada"}, messageschema="/message.jsonschema"), True)
        with self.assertRaisesRegex(ValidationError, "'nam' is not known here; /: 'name' is missing"):
            self.rx.validate_message({"nam": "Ada"}, permissive=False)

    def test_any_of_several(self):
        self.write("schemas/a.jsonschema", self.SCHEMA)
        self.write("schemas/b.jsonschema", '{"required": ["id"]}')
        self.assertTrue(self.rx.validate_message({"id": 1}))
        self.assertTrue(self.rx.validate_message({"name": 1}))
        self.assertFalse(self.rx.validate_message({"other": 1}))

    def test_missing_or_broken(self):
        self.assertFalse(self.rx.validate_message({}))
        with self.assertRaisesRegex(SchemaError, "there is no message.jsonschema"):
            self.rx.validate_message({}, permissive=False)
        self.write("message.jsonschema", "{")
        with self.assertRaisesRegex(SchemaError, "message.jsonschema cannot be used"):
            self.rx.validate_message({}, permissive=False)

    def test_vectors(self):
        for vector in VECTORS["sdk_message_schemas"]:
            if vector["schema"].startswith("{"):
                self.write("message.jsonschema", vector["schema"])
                self.assertEqual(self.rx.validate_message(vector["object"]), vector["validates"])


if __name__ == "__main__":
    unittest.main()

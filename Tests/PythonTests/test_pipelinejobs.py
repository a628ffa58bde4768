"""PipelineJob and the clients that move a job by messages, against a daemon that only remembers."""

import datetime
import os
import unittest

from support import ACTOR, VECTORS, SDKTest

from datacatalog.pipelinejobs import JobCreateFailure, JobUpdateFailure, PipelineJob, PipelineJobError, identity
from datacatalog.pipelinejobs.clients import (
    PipelineJobClientError, PipelineJobUpdateMessage, ReactorsPipelineJobClient)

PIPELINE = "f0f417f2-ba8b-5ac4-b421-255b69553391"
UUID = "58fa9ec7-6c25-5525-94f3-e853335e2f17"
TOKEN = "940a5adc78720505"
CONFIG = "pipelines: {{pipeline_uuid: {}, job_manager_id: G56vjoAVzGkkq}}\n".format(PIPELINE)
SAMPLE = ("UW_BIOFAB", "Yeast-Gates", "sample.uw_biofab.133737/A2")


class IdentityTests(unittest.TestCase):
    def test_uuids(self):
        for vector in VECTORS["uuid5_v1"]:
            self.assertEqual(identity.text_uuid(vector["text"]), vector["uuid_seed_era_2109f57c"], vector["id"])
        for vector in VECTORS["job_uuid_v1"]:
            self.assertEqual(
                identity.minified({"actor_id": vector["actor_id"], "data": vector["data"]}), vector["canonical"])
            self.assertEqual(identity.job_uuid(vector["actor_id"], vector["data"]), vector["uuid"])
        self.assertEqual(
            identity.job_uuid("e5QKEW8L0BeZ4", {"param1": "value1"}), "a7833f39-b676-54c4-8347-be141a5ba105")

    def test_paths(self):
        for vector in VECTORS["archive_path_v1"]:
            given = vector["input"]
            moment = datetime.datetime.strptime(vector["utcnow"], "%Y-%m-%dT%H:%M:%SZ")
            path = identity.archive_path(
                given["pipeline_uuid"], given["lab_name"], given["experiment_reference"], given.get("measurement_id"),
                given.get("session"), moment)
            if given.get("session"):
                self.assertEqual(path, vector["output"], vector["id"])
            else:
                # The name is drawn: all but its two words is known.
                expected = vector["output"].replace(vector["petname_when_generated"], "")
                self.assertRegex(path.replace(expected[expected.rindex("/") + 1:], ""), r"/[a-z]{2,8}-[a-z]{2,8}\Z")
                self.assertEqual(path[:path.rindex("/")], expected[:expected.rindex("/")])
        for vector in VECTORS["instance_directory"]:
            moment = datetime.datetime.strptime(vector["utc"], "%Y-%m-%dT%H:%M:%SZ")
            self.assertEqual(identity.instance_directory(vector["session"], moment), vector["name"])
            self.assertEqual(identity.instance_directory(vector["session"] + "-", moment), vector["name"])


class JobTest(SDKTest):
    def setUp(self):
        super().setUp()
        self.fake = self.daemon()
        self.environment(MSG="{'sample': 'A2'}")
        self.write("config.yml", CONFIG)
        self.rx, self.log = self.reactor()
        callback = VECTORS["callback_url"][0]["url"].replace("https://api.sd2e.org", self.fake.url)
        self.record = {
            "uuid": UUID, "token": TOKEN, "callback": callback, "status": "CREATED", "path": "/products/v1/x",
            "data": {"sample": "A2"},
        }
        self.fake.answers = {
            "POST /api/v1/jobs": [(201, self.record)],
            "POST /actors/v2/G56vjoAVzGkkq/messages": [(200, {"result": {"executionId": "abc"}})],
            "GET /api/v1/executions/abc": [(200, {"finished": "now", "outcome": "succeeded"})],
            "GET /api/v1/jobs/" + UUID: [(200, dict(self.record, status="RUNNING"))],
        }

    def job(self, *arguments, **options):
        return PipelineJob(self.rx, *(arguments or SAMPLE), **options)


class SetupTests(JobTest):
    def test_before_setup(self):
        job = self.job()
        prefix = "/products/v1/55c8d93d-2115-53ba-ba05-446f47d7ff72/aaf646a5-7c05-5ab3-a144-5563fca6830d/" + PIPELINE
        self.assertRegex(job.path, r"\A{}/{}-\d{{8}}T\d{{6}}Z\Z".format(prefix, self.rx.session))
        self.assertEqual((job.data, job.uuid), ({"sample": "A2"}, identity.job_uuid(ACTOR, {"sample": "A2"})))
        self.assertEqual((job.token, job.callback, job.status, job.history), (None, None, None, []))
        self.assertEqual(self.fake.requests, [])

    def test_the_daemons_answer_counts(self):
        job = self.job()
        path = job.path
        self.assertIs(job.setup({"key1": "value1"}), job)
        self.assertEqual(
            (job.uuid, job.token, job.callback, job.path, job.data),
            (UUID, TOKEN, self.record["callback"], "/products/v1/x", {"sample": "A2"}))
        body = self.fake.requests[0]["body"]
        self.assertEqual((body["pipeline_uuid"], body["archive_path"]), (PIPELINE, path))
        self.assertEqual(body["data"], {"sample": "A2", "key1": "value1"})
        self.assertEqual((body["actor_id"], body["lab"], body["experiment"], body["sample"]), (ACTOR,) + SAMPLE)
        self.assertNotIn("measurement", body)
        # Neither token nor nonce is ever logged.
        self.rx.logger.info(job.callback)
        self.assertIn("?x-nonce=*****&token=*****&uuid=" + UUID, self.log.getvalue())

    def test_data_of_its_own(self):
        job = self.job(data={"a": 1}, session="solid-snake")
        self.assertEqual(job.data, {"a": 1})
        self.assertIn("/solid-snake-", job.path)
        os.environ["MSG"] = "{}"
        self.assertIsNone(PipelineJob(self.reactor()[0], *SAMPLE).data)

    def test_a_busy_daemon_is_asked_again(self):
        self.fake.answers["POST /api/v1/jobs"] = [(503, {"detail": "draining"}), (201, self.record)]
        self.assertEqual(self.job().setup().uuid, UUID)

    def test_refusals(self):
        self.fake.answers["POST /api/v1/jobs"] = [(409, {"detail": "No pipeline exists with UUID x"})]
        with self.assertRaisesRegex(
            JobCreateFailure, "Failed to create job for pipeline {}: No pipeline exists".format(PIPELINE)
        ):
            self.job().setup()
        self.fake.answers["POST /api/v1/jobs"] = [(201, {"uuid": UUID})]
        with self.assertRaisesRegex(JobCreateFailure, "belongs to somebody else"):
            self.job().setup()

    def test_what_is_missing(self):
        for arguments, words in (((None, "e"), "lab_name must be specified"), (("l", ""), "experiment_reference must")):
            with self.assertRaisesRegex(KeyError, words):
                self.job(*arguments)
        self.rx.settings.pipelines.pipeline_uuid = "x"
        with self.assertRaisesRegex(ValueError, "x is not a valid UUID5"):
            self.job()
        for settings in ({}, {"pipelines": None}, {"pipelines": {"pipeline_uuid": None}}):
            self.rx.settings = type(self.rx.settings)(settings)
            with self.assertRaisesRegex(PipelineJobError, "pipelines.pipeline_uuid is missing in config.yml"):
                self.job()


class EventTests(JobTest):
    def sent(self):
        return [request["body"] for request in self.fake.requests if request["path"].endswith("/messages")]

    def test_chaining(self):
        job = self.job()
        self.assertIs(job.setup({"key1": "value1"}).run().update({"key2": "value2"}).finish(), job)
        self.assertEqual(self.sent(), [
            {"uuid": UUID, "event": "run", "token": TOKEN},
            {"uuid": UUID, "event": "update", "token": TOKEN, "data": {"key2": "value2"}},
            {"uuid": UUID, "event": "finish", "token": TOKEN},
        ])
        self.assertEqual((job.status, job.get_status()), ("RUNNING", "RUNNING"))

    def test_data_in_every_form(self):
        job = self.job().setup()
        job.run(data={"a": 1}).resource("queued").fail({"why": None}).handle("validate")
        self.assertEqual([(body["event"], body.get("data")) for body in self.sent()], [
            ("run", {"a": 1}), ("resource", {"message": "queued"}), ("fail", {"why": None}), ("validate", None)])
        with self.assertRaisesRegex(PipelineJobError, "data cannot be written as JSON"):
            job.update({"when": object()})

    def test_a_refusal_says_why(self):
        job = self.job().setup()
        reason = "Can't trigger event finish from state CREATED!"
        self.fake.answers["GET /api/v1/executions/abc"] = [
            (200, {"finished": None}), (200, {
                "finished": "now", "outcome": "failed", "reason": reason,
                "result": {"state": "CREATED", "legal_events": ["run"]}})]
        with self.assertRaises(JobUpdateFailure) as refused:
            job.finish()
        self.assertEqual(str(refused.exception), "Failed to finish job {}: {}".format(UUID, reason))
        self.assertEqual(refused.exception.reason, reason)
        self.assertEqual((refused.exception.state, refused.exception.legal_events), ("CREATED", ["run"]))

    def test_what_the_token_does_not_allow_is_asked_for_as_the_owner(self):
        self.record["token_events"] = ["run", "finish"]
        job = self.job().setup().run()
        path = "POST /api/v1/jobs/{}/events".format(UUID)
        self.fake.answers[path] = [
            (200, {"status": "VALIDATING"}),
            (409, {"detail": "Can't", "state": "VALIDATING", "legal_events": ["fail"]})]
        self.assertIs(job.handle("validate", {"a": 1}), job)
        self.assertEqual(self.fake.requests[-1]["body"], {"event": "validate", "data": {"a": 1}})
        with self.assertRaisesRegex(JobUpdateFailure, "Failed to finalize job {}: Can't".format(UUID)) as refused:
            job.handle("finalize")
        self.assertEqual((refused.exception.state, refused.exception.legal_events), ("VALIDATING", ["fail"]))

    def test_an_event_is_sent_once(self):
        job = self.job().setup()
        self.fake.answers["POST /actors/v2/G56vjoAVzGkkq/messages"].insert(0, (503, {}))
        job.run()
        keys = [request["headers"]["Idempotency-Key"] for request in self.fake.requests[1:3]]
        self.assertEqual(len(set(keys)), 1)
        job.run()
        self.assertNotEqual(self.fake.requests[-2]["headers"]["Idempotency-Key"], keys[0])

    def test_waiting_has_an_end(self):
        job = self.job().setup()
        self.fake.answers["GET /api/v1/executions/abc"] = [(200, {"finished": None})]
        job.patience = -1
        with self.assertRaisesRegex(JobUpdateFailure, "accepted, but not handled"):
            job.run()

    def test_before_setup(self):
        job = self.job()
        with self.assertRaisesRegex(PipelineJobError, r"run\(\) before setup\(\)"):
            job.run()
        job.fail()
        job.cancel()
        self.assertIn("there is no job to fail", self.log.getvalue())
        self.assertEqual(self.fake.requests, [])

    def test_cancel(self):
        job = self.job().setup()
        job.cancel()
        self.assertEqual(self.sent(), [{"uuid": UUID, "action": "cancel", "token": TOKEN}])
        self.assertEqual((job.status, job.token, job.callback), (None, None, None))

    def test_history(self):
        job = self.job().setup()
        history = [
            {"CREATE": {"date": "2018-09-18T01:50:15.284+0000", "data": None}},
            {"RUN": {"date": "2018-09-18T01:50:15.459+0000", "data": None}}]
        self.fake.answers["GET /api/v1/jobs/" + UUID] = [(200, {"history": history})]
        self.assertEqual(job.history, history)

    def test_a_job_that_is_gone(self):
        job = self.job().setup()
        self.fake.answers.pop("GET /api/v1/jobs/" + UUID)
        with self.assertRaisesRegex(PipelineJobError, "there is no job " + UUID):
            job.status

    def test_in_a_later_execution(self):
        job = PipelineJob.attach(self.rx, UUID, TOKEN)
        self.assertEqual((job.uuid, job.token, job.path), (UUID, TOKEN, "/products/v1/x"))
        job.update({"a": 1})
        self.assertEqual(self.sent()[0]["token"], TOKEN)

    def test_local(self):
        os.environ["LOCALONLY"] = "1"
        self.rx, log = self.reactor()
        job = self.job().setup().run({"a": 1})
        self.assertEqual((job.status, job.history, self.fake.requests), ("RUNNING", [], []))
        self.assertEqual(job.fail().status, "FAILED")
        self.assertIn("run of job {} is not recorded".format(job.uuid), log.getvalue())
        self.assertIsNone(job.cancel().status)


class ClientTests(JobTest):
    def setUp(self):
        super().setUp()
        self.told = []
        self.rx.send_message = lambda actor, message, **options: self.told.append((actor, message, options))

    def client(self, **message):
        return ReactorsPipelineJobClient(self.rx, message or {"pipelinejob": {"uuid": UUID, "token": TOKEN}})

    def test_message_vectors(self):
        for vector in VECTORS["client_message_v1"]:
            if vector["ok"]:
                self.assertEqual(
                    sorted(PipelineJobUpdateMessage(**vector["input"]).to_dict()), ["data", "event", "token", "uuid"])
            else:
                with self.assertRaisesRegex(PipelineJobClientError, vector["message_contains"]):
                    PipelineJobUpdateMessage(**vector["input"])

    def test_client_vectors(self):
        for vector in VECTORS["reactor_client_v1"]:
            if "message" not in vector:
                continue
            if vector["ok"]:
                self.assertIsNotNone(ReactorsPipelineJobClient(self.rx, vector["message"]).uuid)
            else:
                with self.assertRaisesRegex(PipelineJobClientError, vector["message_contains"]):
                    ReactorsPipelineJobClient(self.rx, vector["message"])

    def test_what_is_sent(self):
        client = self.client().setup().run({"greeting": "helo"}).update("helo")
        client.finish()
        actor, message, options = self.told[0]
        self.assertEqual((actor, options), ("G56vjoAVzGkkq", {"retryMaxAttempts": 3}))
        self.assertEqual(message, {"uuid": UUID, "token": TOKEN, "event": "run", "data": {"greeting": "helo"}})
        self.assertEqual(self.told[1][1]["data"], {"message": "helo"})
        last = self.told[2][1]
        self.assertEqual((last["event"], last["data"]["message"]), ("finish", "Unspecified"))
        self.assertRegex(last["data"]["elapsed"], r"\A\d+ usec\Z")
        self.assertEqual(client.status, "FINISHED")

    def test_the_end_is_the_end(self):
        client = self.client(options={"pipelinejob": {"uuid": UUID, "token": TOKEN}}).run()
        client.fail("why")
        with self.assertRaisesRegex(PipelineJobClientError, "terminal state"):
            client.run()
        self.assertEqual(len(self.told), 2)


if __name__ == "__main__":
    unittest.main()

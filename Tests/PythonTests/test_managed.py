"""ManagedPipelineJob and its relatives, against a daemon that only remembers."""

import datetime
import os
import unittest

from support import ACTOR, EXECUTION, VECTORS, SDKTest

from datacatalog.managers.pipelinejobs import (
    ManagedPipelineJob, ManagedPipelineJobError, ManagedPipelineJobInstance, ReactorManagedPipelineJob)
from datacatalog.pipelinejobs import PipelineJobError, identity

PIPELINE = "106c46ff-8186-5756-a934-071f4497b58d"
TOKEN = "99cb4e2d4ba22b3a"
EMPTY = "10792d3c-395c-57e0-a694-006cf03d3970"
CONFIG = "pipelines: {{pipeline_uuid: {}, job_manager_id: MEzqaw4rkWZoK}}\nmongodb: {{authn: ~}}\n".format(PIPELINE)


class IdentityTests(unittest.TestCase):
    def test_uuids(self):
        for vector in VECTORS["job_uuid_v2"]:
            self.assertEqual(
                identity.managed_uuid(vector["pipeline_uuid"], vector["child_of"], vector["data"]), vector["uuid"])

    def test_paths(self):
        for vector in VECTORS["archive_path_element_v2"]:
            self.assertEqual(identity.path_element(vector["text"]), vector["hashid"])
        moment = datetime.datetime(2019, 2, 15, 21, 30, 9)
        for vector in VECTORS["archive_path_v2"]:
            session = vector["session"] if vector["instanced"] else None
            path = identity.managed_path(
                vector["pipeline_uuid"], sorted(set(vector["child_of"])), vector["data_at_init"], session, moment)
            self.assertEqual(path, vector["output"])

    def test_app_ids(self):
        for vector in VECTORS["agave_appid"]:
            self.assertEqual(identity.is_app_id(vector["id"]), vector["valid"], vector["id"])


class ManagedTest(SDKTest):
    def setUp(self):
        super().setUp()
        self.fake = self.daemon()
        self.environment(MSG="{'sample': 'A2'}")
        self.write("config.yml", CONFIG)
        self.rx, self.log = self.reactor()
        callback = VECTORS["callback_url"][1]["url"].replace("https://api.sd2e.org/", self.fake.url)
        self.record = {
            "uuid": EMPTY, "token": TOKEN, "callback": callback, "status": "CREATED", "path": "/products/v2/x",
            "data": {}, "token_events": ["run", "finish", "update", "fail", "resource"], "session": "firm-boar",
        }
        self.fake.answers = {
            "POST /api/v1/jobs": [(201, self.record)],
            "POST /actors/v2/MEzqaw4rkWZoK/messages": [(200, {"result": {"executionId": "abc"}})],
            "GET /api/v1/executions/abc": [(200, {
                "finished": "now", "outcome": "succeeded",
                "result": {"status": "RUNNING", "state": "RUNNING", "last_event": "run", "revision": 1}})],
            "GET /api/v1/jobs/" + EMPTY: [(200, dict(self.record, status="RUNNING", state="RUNNING"))],
            "POST /api/v1/jobs/{}/events".format(EMPTY): [(200, {"status": "RESET", "state": "RESET"})],
        }

    def job(self, **options):
        return ReactorManagedPipelineJob(self.rx, **options)

    def sent(self):
        return [request["body"] for request in self.fake.requests if request["path"].endswith("/messages")]


class MakingTests(ManagedTest):
    def test_before_setup(self):
        job = self.job()
        self.assertEqual((job.uuid, job.data, job.child_of, job.state), (EMPTY, {}, [], None))
        self.assertEqual(
            job.archive_path, "/products/v2/106c46ff81865756a934071f4497b58d"
            "/BAkwe8wKZY2NgXyBpX8K5R1D/PAVpwrObxp5YjYRvrJOd5yVp")
        self.assertRegex(self.job(instanced=True).path, r"PAVpwrObxp5YjYRvrJOd5yVp/{}-\d{{8}}T".format(job.session))
        self.assertEqual(job.agent, "{}/actors/v2/{}".format(self.fake.url, ACTOR))
        self.assertEqual(job.task, "{}/executions/{}".format(job.agent, EXECUTION))
        self.assertEqual(self.job(agent="fcs-etl-0.4.0u2").agent, self.fake.url + "/apps/v2/fcs-etl-0.4.0u2")
        with self.assertRaisesRegex(ManagedPipelineJobError, r"run\(\) before setup\(\)"):
            job.run()
        with self.assertRaisesRegex(ManagedPipelineJobError, "there is no callback yet"):
            job.agave_notifications()
        self.assertEqual(self.fake.requests, [])

    def test_what_is_asked_for(self):
        patterns = [{"level": "2", "patterns": [".txt$"]}]
        job = self.job(experiment_id="experiment.ginkgo.10001", data={"alpha": {"a": 1}}, archive_patterns=patterns)
        path = job.path
        self.assertIs(job.setup({"alpha": {"b": 2}}), job)
        body = self.fake.requests[0]["body"]
        self.assertEqual(body, {
            "pipeline_uuid": PIPELINE, "generation": 2, "child_of": ["102edd93-29d6-5483-b60b-8dfd4d094b9c"],
            "data": {"alpha": {"a": 1, "b": 2}}, "session": job.session, "archive_path": path,
            "archive_patterns": patterns, "actor_id": ACTOR, "execution_id": EXECUTION})
        self.assertEqual((job.uuid, job.token, job["token"], job.get("state")), (EMPTY, TOKEN, TOKEN, "CREATED"))
        self.assertEqual(job.agave_notifications(), [
            {"event": "RUNNING", "persistent": True, "url": self.record["callback"] + "&status=${JOB_STATUS}"},
            {"event": "FINISHED", "persistent": False, "url": self.record["callback"] + "&status=FINISHED"},
            {"event": "FAILED", "persistent": False, "url": self.record["callback"] + "&status=${JOB_STATUS}"}])

    def test_what_it_is_about(self):
        design = "114e95e6-67a8-5a06-9484-3131c6907890"
        both = self.job(experiment_design_id=design, sample_id="sample.tacc.20001")
        self.assertEqual(both.child_of, [design])
        samples = self.job(sample_id=["sample.tacc.20001", "sample.transcriptic.aq1bsxp36447z6", "sample.tacc.20001"])
        self.assertEqual(
            samples.child_of, ["103246e1-bcdf-5b6e-a8dc-4c7e81b91141", "10340ded-b06e-5d91-95dd-8533755ed48c"])
        self.assertEqual((self.job(child_of=[]).child_of, self.job(child_of=design).child_of), ([], [design]))
        with self.assertRaisesRegex(ValueError, "child_of: x is not a valid UUID5"):
            self.job(child_of=["x"])
        for values, words in (
            (["sample.tacc.20001", design], "mixed types"), ([None], "Unable to resolve any"), ([""], "Unable to resolve"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                self.job(sample_id=values)

    def test_the_forms_of_old(self):
        nothing = ManagedPipelineJob({"authn": "x"}, {"pipeline_uuid": PIPELINE, "job_manager_id": "MEzqaw4rkWZoK"})
        older = ManagedPipelineJob({}, "MEzqaw4rkWZoK", "SD2E_nonce", pipeline_uuid=PIPELINE, session="solid-snake")
        for job in (nothing, older):
            self.assertEqual(job.setup().run()["state"], "RUNNING")
        with self.assertRaisesRegex(ManagedPipelineJobError, 'Parameter "pipeline_uuid" is required'):
            ManagedPipelineJob({}, {})
        with self.assertRaisesRegex(ValueError, "required to initialize PipelineJobsConfig"):
            ManagedPipelineJob({}, {"pipeline_uuid": None})
        with self.assertRaisesRegex(ValueError, "x is not a valid UUID5"):
            ManagedPipelineJob({}, {"pipeline_uuid": "x"})
        with self.assertRaisesRegex(TypeError, "takes no sampel_id"):
            self.job(sampel_id="x")

    def test_refusals(self):
        self.fake.answers["POST /api/v1/jobs"] = [(400, {"detail": "No pipeline exists with UUID x"})]
        with self.assertRaisesRegex(ManagedPipelineJobError, "No pipeline exists") as refused:
            self.job().setup()
        self.assertIsInstance(refused.exception, PipelineJobError)


class EventTests(ManagedTest):
    def test_events(self):
        job = self.job().setup()
        answer = job.run({"launched": "id"})
        self.assertEqual((answer.get("token"), answer.get("uuid"), answer["state"]), (TOKEN, EMPTY, "RUNNING"))
        self.assertEqual((answer["revision"], job.last_event, job.state), (1, "run", "RUNNING"))
        job.update(data={"msg": "x"}).finish()
        job.handle({"name": "update", "data": {"a": 1}, "uuid": EMPTY, "token": TOKEN})
        self.assertEqual([(body["event"], body.get("data")) for body in self.sent()], [
            ("run", {"launched": "id"}), ("update", {"msg": "x"}), ("finish", None), ("update", {"a": 1})])
        for event, words in (({"name": "run", "uuid": "another"}, "one of job another"), ({}, "no name")):
            with self.assertRaisesRegex(ManagedPipelineJobError, words):
                job.handle(event)

    def test_a_refusal_says_why(self):
        job = self.job().setup()
        reason = "Can't trigger event finish from state CREATED!"
        self.fake.answers["GET /api/v1/executions/abc"] = [
            (200, {"finished": "now", "outcome": "failed", "reason": reason,
                   "result": {"state": "CREATED", "legal_events": ["run"]}})]
        with self.assertRaisesRegex(ManagedPipelineJobError, reason) as refused:
            job.finish()
        self.assertEqual((refused.exception.state, refused.exception.legal_events), ("CREATED", ["run"]))

    def test_what_needs_an_admin(self):
        job = self.job().setup()
        job.reset(token="0123456789abcdef", no_clear_path=True)
        self.assertEqual(
            [(body["event"], body["token"], body.get("data")) for body in self.sent()],
            [("reset", "0123456789abcdef", {"no_clear_path": True}), ("ready", "0123456789abcdef", None)])
        # Without a token, by name.
        job.reset()
        asked = [request["body"] for request in self.fake.requests if request["path"].endswith("/events")]
        self.assertEqual(asked, [{"event": "reset"}, {"event": "ready"}])
        job.delete(token="0123456789abcdef")
        self.assertEqual(self.sent()[-1], {"uuid": EMPTY, "action": "delete", "token": "0123456789abcdef"})
        self.assertEqual((job.state, job.token), (None, None))

    def test_cancel(self):
        job = self.job().setup()
        self.assertIs(job.cancel(), job)
        self.assertEqual(self.sent(), [{"uuid": EMPTY, "action": "cancel", "token": TOKEN}])

    def test_index(self):
        job = self.job().setup()
        job.index(filters=[{"patterns": [".csv$"], "level": "1"}])
        asked = [request["body"] for request in self.fake.requests if request["path"].endswith("/events")]
        self.assertEqual(asked, [
            {"event": "index", "data": {"filters": [{"patterns": [".csv$"], "level": "1"}]}}])

    def test_an_instance(self):
        job = ManagedPipelineJobInstance({"authn": "x"}, EMPTY, token=TOKEN)
        self.assertEqual((job.uuid, job.state, job["state"], job.path), (EMPTY, "RUNNING", "RUNNING", "/products/v2/x"))
        self.fake.answers["POST /actors/v2/pipeline-jobs-manager/messages"] = [
            (200, {"result": {"executionId": "abc"}})]
        self.assertEqual(job.handle({"name": "update", "data": {"msg": "m"}})["token"], TOKEN)
        self.fake.answers["GET /api/v1/jobs/{}/history".format(EMPTY)] = [(200, {"history": [{"name": "create"}]})]
        self.assertEqual(job.history, [{"name": "create"}])
        self.fake.answers.pop("GET /api/v1/jobs/" + EMPTY)
        with self.assertRaisesRegex(ManagedPipelineJobError, "there is no job " + EMPTY):
            ManagedPipelineJobInstance({}, EMPTY)

    def test_local(self):
        os.environ["LOCALONLY"] = "1"
        self.rx, log = self.reactor()
        for job in (self.job(), ManagedPipelineJob({}, {"pipeline_uuid": PIPELINE})):
            self.assertEqual(job.setup().run().state, "RUNNING")
            self.assertEqual(job.reset().state, "CREATED")
        self.assertEqual(self.fake.requests, [])
        self.assertIn("run of job {} is not recorded".format(EMPTY), log.getvalue())


if __name__ == "__main__":
    unittest.main()

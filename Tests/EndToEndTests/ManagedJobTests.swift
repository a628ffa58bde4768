import ActorCore
import Foundation
import Testing

/// The second generation's client, as a script uses it, against the real daemon.
@Suite(.serialized) struct ManagedJobTests {
    private static let script = """
        import json, os
        from reactors.runtime import Reactor
        from datacatalog.managers.pipelinejobs import (
            ManagedPipelineJobError, ManagedPipelineJobInstance, ReactorManagedPipelineJob as Job)

        rx = Reactor()
        job = Job(rx, experiment_id='experiment.ginkgo.10001', data={'alpha': 0.5},
                  archive_patterns=[{'level': '2', 'patterns': ['.csv$']}])
        early = (job.uuid, job.archive_path)
        job.setup()
        states = [job.state]
        notifications = job.agave_notifications()
        states.append(job.run({'launched': 'id'})['state'])
        again = ManagedPipelineJobInstance(rx.settings.mongodb, job.uuid, token=job.token)
        again.handle({'name': 'update', 'data': {'msg': 'm'}, 'uuid': job.uuid})
        job.finish()
        states.append(job.index().get('state'))
        refused = ''
        try:
            job.cancel()
        except ManagedPipelineJobError as error:
            refused = error.reason
        print(json.dumps({
            'early': early, 'late': (job.uuid, job.archive_path), 'states': states, 'refused': refused,
            'names': [entry['name'] for entry in job.history], 'data': [entry['data'] for entry in job.history],
            'shapes': [(list(entry), entry['uuid'][:3], entry['date'][19:]) for entry in job.history],
            'notifications': [item['event'] for item in notifications if item['url'].startswith(job.callback)]}))
        """

    @Test func aManagedJobMovesByItsClient() async throws {
        let daemon = try RunningDaemon(actors: [
            "managed": [
                "actor.yml": "name: managed\nrun: {command: [python3, reactor.py]}\nretry: {attempts: 1}\n",
                "config.yml": "pipelines: {pipeline_uuid: \(KnownPipeline.managed.rawValue)}\nmongodb: {authn: ~}\n",
                "reactor.py": Self.script,
            ]
        ])
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            try await daemon.register(.managed)
            let ended = try await daemon.finished(try await daemon.send("managed", [:]))
            let log = try await daemon.request("GET", "/api/v1/executions/\(ended["id"]?.string ?? "")/logs").text
            #expect(ended["outcome"] == "succeeded", "\(log)")
            let line = try #require(log.split(separator: "\n").last { $0.hasPrefix("{") })
            let said = try JSONReader.read(Array(line.utf8))
            // It knew id and path before anybody was asked.
            #expect(said["early"] == said["late"])
            #expect(
                said["early"] == [
                    "107acd0a-e1fc-5d6e-af1a-217bb41ecced",
                    "/products/v2/106c46ff81865756a934071f4497b58d/VGydXB9zp3kbwq590GjZljPk/0p5yeV3VR3OELzgoJ5kk6Yxw",
                ])
            #expect(said["states"] == ["CREATED", "RUNNING", "INDEXING"])
            #expect(said["names"] == ["create", "run", "update", "finish", "index"], "\(line)")
            // As it was recorded of the predecessor (history_document): data as it came, whole seconds, typed ids.
            #expect(said["data"] == [["alpha": 0.5], ["launched": "id"], ["msg": "m"], nil, nil], "\(line)")
            for shape in said["shapes"]?.array ?? [] {
                #expect(shape == [["name", "date", "data", "uuid"], "108", ".000+0000"])
            }
            #expect(said["refused"]?.string?.hasPrefix("Cannot cancel a job once it is running.") == true, "\(line)")
            #expect(said["notifications"] == ["RUNNING", "FINISHED", "FAILED"])
            let uuid = said["late"]?.array?.first?.string ?? ""
            let asked = try await daemon.post(
                "/api/v1/jobs?dry_run=true",
                [
                    "pipeline_uuid": .string(KnownPipeline.managed.rawValue), "data": ["alpha": 0.5],
                    "experiment_id": "experiment.ginkgo.10001",
                ])
            #expect(asked.json["uuid"]?.string == uuid && asked.json["path"] == said["late"]?.array?.last)
        }
    }
}

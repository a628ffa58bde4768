import ActorCore
import Testing

/// What the profiles say that every crate has: RO-Crate 1.1, Workflow RO-Crate 1.0, Process and Workflow Run Crate 0.5.
@Suite struct WorkflowRunCrateTests {
    private static let noon = Timestamp(milliseconds: 1_600_000_000_000)
    private static let uuid = "107d6b88-683e-5c98-b4a4-9f64b43d5cc4"
    private static let parent = "102e95e6-67a8-5a06-9484-3131c6907890"

    private static func crate(
        _ events: [String], license: String? = nil, data: JSONValue, files: [String]
    ) -> JSONValue {
        let pipeline = PipelineRecord(
            uuid: PipelineID("106c46ff-8186-5756-a934-071f4497b58d"), name: "Beats", components: [], created: noon)
        var job = JobRecord(
            uuid: JobID(uuid), pipeline: pipeline.uuid, generation: .second, path: "/products/v2/x", data: data,
            actor: nil, execution: nil, session: "solid-snake", owner: "ada@lab", key: JobKey(token: "t", salt: "s"),
            created: noon, updated: noon)
        var machine = PipelineJobMachine()
        var history = [JobHistoryEntry(name: "create", date: noon, data: .null)]
        for event in events.compactMap(PipelineJobEvent.init(rawValue:)) {
            guard case .move(_, let status) = machine.handle(event) else { continue }
            job.move(to: status, by: event, at: noon)
            history.append(JobHistoryEntry(name: event.rawValue, date: noon, data: ["reason": "why"]))
        }
        return WorkflowRunCrate(
            job: job, history: history, pipeline: pipeline, parents: [parent],
            files: files.map {
                JobFileRecord(path: $0, bytes: 3, sha256: "ab", modified: noon, indexed: noon)
            }, license: license, url: "http://127.0.0.1/jobs/\(uuid)", pipelineURL: "http://127.0.0.1/pipelines/1"
        ).metadata
    }

    private static let crates: [JSONValue] = [
        crate([], data: .null, files: []),
        crate(["run"], data: ["a": 1], files: ["a.csv"]),
        crate(["run", "fail"], data: ["a b": ["c": nil], "ä/": true], files: []),
        crate(
            ["run", "finish"], license: "https://spdx.org/licenses/CC-BY-4.0", data: ["alpha": 0.5, "s": "x"],
            files: ["out/beats.csv", "plot 1.png", "ä&b.txt", "a%b#c?"]),
    ]

    private struct Graph {
        let entities: [JSONValue]
        let byID: [String: JSONValue]

        init(_ crate: JSONValue) {
            entities = crate["@graph"]?.array ?? []
            byID = Dictionary(entities.map { ($0["@id"]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
        }

        func all(_ type: String) -> [JSONValue] {
            entities.filter { entity in
                entity["@type"]?.string == type || entity["@type"]?.array?.contains(.string(type)) == true
            }
        }
        /// What a property refers to.
        func targets(_ value: JSONValue?) -> [JSONValue] {
            (value?.array ?? [value].compactMap(\.self)).compactMap { $0["@id"]?.string }.compactMap { byID[$0] }
        }
    }

    @Test(arguments: crates.indices)
    func everythingThatIsReferredToIsThereOnce(number: Int) throws {
        let crate = Self.crates[number]
        #expect(
            crate["@context"] == [
                "https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context",
            ])
        let graph = Graph(crate)
        #expect(graph.byID.count == graph.entities.count)
        for entity in graph.entities {
            let id = try #require(entity["@id"]?.string)
            #expect(entity["@type"] != nil, "\(id)")
            for member in entity.object ?? [] where member.name != "@id" {
                for value in member.value.array ?? [member.value] where value.object != nil {
                    let target = value["@id"]?.string ?? ""
                    // Of profiles the address is enough.
                    let isKnown = graph.byID[target] != nil || target.hasPrefix("https://")
                    #expect(isKnown, "\(id) \(member.name) \(target)")
                }
                // JSON-LD of a crate is flat.
                #expect(member.value.object.map { $0.map(\.name) == ["@id"] } ?? true, "\(id) \(member.name)")
                #expect(!member.value.isNull, "\(id) \(member.name)")
            }
        }
    }

    @Test(arguments: crates.indices)
    func theRootSaysWhatItIs(number: Int) throws {
        let graph = Graph(Self.crates[number])
        let descriptor = try #require(graph.byID["ro-crate-metadata.json"])
        #expect(descriptor["@type"] == "CreativeWork" && descriptor["about"] == ["@id": "./"])
        #expect(descriptor["conformsTo"]?.array?.contains(["@id": "https://w3id.org/ro/crate/1.1"]) == true)
        let root = try #require(graph.byID["./"])
        #expect(root["@type"] == "Dataset")
        for name in ["name", "description", "datePublished"] {
            #expect(root[name]?.string?.isEmpty == false, "\(name)")
        }
        #expect(graph.targets(root["license"]).first?["@type"] == "CreativeWork")
        #expect(graph.targets(root["author"]).first?["@type"] == "Person")
        let profiles = graph.targets(root["conformsTo"])
        #expect(
            profiles.compactMap { $0["@id"]?.string } == [
                "https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/wfrun/workflow/0.5",
                "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
            ])
        for profile in profiles { #expect(profile["@type"] == "CreativeWork" && profile["version"] != nil) }
        let workflow = try #require(graph.targets(root["mainEntity"]).first)
        #expect(workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"])
        #expect(graph.targets(workflow["programmingLanguage"]).first?["@type"] == "ComputerLanguage")
        let parts = graph.targets(root["hasPart"])
        #expect(parts.contains(workflow) && parts.count == graph.all("File").count)
        for part in parts {
            let id = part["@id"]?.string ?? ""
            #expect(!id.hasPrefix("/") && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"?#&".utf8.contains($0) })
        }
    }

    @Test(arguments: zip(crates.indices, ["Potential", "Active", "Failed", "Completed"]))
    func theRunSaysWhatItDid(number: Int, status: String) throws {
        let graph = Graph(Self.crates[number])
        let root = try #require(graph.byID["./"])
        let action = try #require(graph.all("CreateAction").first)
        #expect(graph.all("CreateAction").count == 1 && graph.targets(root["mentions"]) == [action])
        #expect(graph.targets(action["instrument"]) == graph.targets(root["mainEntity"]))
        #expect(graph.targets(action["agent"]).first?["@type"] == "Person")
        #expect(action["name"] != nil && action["description"] != nil)
        #expect(action["actionStatus"]?.string == "http://schema.org/\(status)ActionStatus")
        #expect((action["error"] != nil) == (status == "Failed"))
        #expect((action["startTime"] != nil) == (status != "Potential"))
        #expect((action["endTime"] != nil) == ["Failed", "Completed"].contains(status))
        let pattern = #/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+00:00/#
        for name in ["startTime", "endTime"] {
            #expect(action[name]?.string.map { $0.wholeMatch(of: pattern) != nil } ?? true)
        }
        #expect(graph.targets(action["result"]).allSatisfy { $0["@id"]?.string?.hasPrefix("files/") == true })
        let used = graph.targets(action["object"])
        #expect(used.contains { $0["@id"]?.string == "urn:uuid:\(Self.parent)" })
        let workflow = try #require(graph.targets(root["mainEntity"]).first)
        let formals = graph.targets(workflow["input"])
        #expect(formals.count == graph.all("FormalParameter").count && formals.count == used.count - 1)
        for formal in formals {
            #expect(formal["additionalType"]?.string?.isEmpty == false)
            let value = try #require(graph.targets(formal["workExample"]).first)
            #expect(value["@type"] == "PropertyValue" && graph.targets(value["exampleOfWork"]) == [formal])
            #expect(used.contains(value) && value["value"]?.object == nil && value["value"]?.array == nil)
        }
    }
}

import ActorCore
import ActorSchemas
import Foundation
import Testing

/// The official test suite of JSON Schema as Debian packages it (`json-schema-test-suite`), draft 7, without its
/// optional part.
@Suite struct OfficialSuiteTests {
    static let folder = URL(filePath: "/usr/share/json-schema-test-suite/tests/draft7")

    /// Groups whose schemas are refused, and why: they refer to other documents, and nothing is ever fetched.
    static let refused: Set<String> = [
        "refRemote.json: remote ref",
        "refRemote.json: fragment within remote ref",
        "refRemote.json: ref within remote ref",
        "refRemote.json: base URI change",
        "refRemote.json: base URI change - change folder",
        "refRemote.json: base URI change - change folder in subschema",
        "refRemote.json: root ref in remote ref",
    ]

    @Test func everyCaseGivesItsVerdict() throws {
        let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }
        var right = 0
        var unexpected: [String] = []
        var nowRefused: Set<String> = []
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            let groups = try #require(JSONReader.read(bytes).array)
            for group in groups {
                let name = "\(file.lastPathComponent): \(group["description"]?.string ?? "")"
                let schema: any MessageSchema
                do {
                    let text = JSONWriter.bytes(try #require(group["schema"]))
                    schema = try ValijsonCompiler().compile(SchemaSource(file: name, text: text))
                } catch {
                    nowRefused.insert(name)
                    continue
                }
                for test in group["tests"]?.array ?? [] {
                    let violations = schema.violations(of: JSONWriter.bytes(try #require(test["data"])))
                    if violations.isEmpty == test["valid"]?.bool {
                        right += 1
                    } else {
                        unexpected.append("\(name): \(test["description"]?.string ?? ""): \(violations)")
                    }
                }
            }
        }
        #expect(unexpected.isEmpty)
        #expect(nowRefused == Self.refused)
        #expect(right >= 408, "the suite lost cases: only \(right) ran")
    }
}

import ActorCore
import Reactors
import Testing

/// Names, ids, requests and references of the file catalogue, against recorded values.
@Suite struct CatalogueTests {
    private static let file = "pipelinejobs-catalogue"

    @Test(arguments: Fixture.rows(file, "file_name_safening"))
    func names(row: JSONValue) {
        let input = row.at("input").string ?? ""
        let record = CatalogueFile.record(input, at: Timestamp(milliseconds: 0))
        #expect(record.name == row.at("record_name").string)
        #expect(record.uuid == row.at("uuid_of_record").string)
        #expect(record.fileID == row.at("file_id").string)
        #expect(CatalogueFile.uuid(of: input) == row.at("uuid_of_plain_string").string)
    }

    @Test(arguments: [
        ("/a/./b//c", "/a/b/c"), ("../a", "../a"), ("/../a", "/a"), ("a/..", ""), ("/", "/"), ("a b", "a b"),
    ])
    func normalizedNames(input: String, output: String) { #expect(CatalogueName.normalized(input) == output) }

    @Test func blanksAndEqualSignsBecomeDashes() {
        #expect(CatalogueName.cleaned("/a  b==c =d\t.txt") == "/a-b-c--d-.txt")
    }

    @Test(arguments: [
        ("x.json", "JSON"), ("a.fastq.gz", "FASTQ"), ("a.gz", "ARCHIVE"), ("a", "UNKNOWN"), ("A.CSV", "CSV"),
        ("file.ASDFGHJK123456", "UNKNOWN"), ("/p/wc-sample.txt", "PLAIN"), ("s.bedgraph", "BEDGRAPH"),
    ])
    func types(name: String, type: String) { #expect(CatalogueFile.type(of: name) == type) }

    @Test(arguments: Fixture.rows(file, "agave_uri"))
    func uris(row: JSONValue) {
        let parts = CatalogueFile.split(uri: row.at("uri").string ?? "")
        let expected = row.at("system_dir_file").array.map { _ in row.at("system_dir_file").texts }
        #expect(parts.map { [$0.system, $0.folder, $0.file] } == expected)
    }

    @Test(arguments: Fixture.rows(file, "refs_from_data"))
    func references(row: JSONValue) {
        #expect(DataReferences.files(in: row.at("data")) == row.at("files").texts)
        #expect(DataReferences.references(in: row.at("data")) == row.at("references").texts)
    }

    @Test(arguments: Fixture.rows(file, "index_request"))
    func requests(row: JSONValue) throws {
        let expected = row.at("error").texts
        guard expected.isEmpty else {
            let failure = #expect(throws: ReactorFailure.self) { try IndexRequest(row.at("request")) }
            #expect(failure?.message == expected.last)
            return
        }
        let request = try IndexRequest(row.at("request"))
        #expect(PythonText.minified(request.json) == row.at("json").string)
        #expect(request.patterns.joined(separator: "|") == row.at("regex").string)
        let isArchive = if case .archive = request.kind { true } else { false }
        #expect(isArchive == (row.at("kind").string == "archive"))
    }

    @Test(arguments: Fixture.rows(file, "index_filename_match"))
    func matches(row: JSONValue) throws {
        let request = try IndexRequest(["patterns": row.at("patterns"), "level": "1"])
        #expect(request.matches(path: row.at("path").string ?? "") == row.at("match").bool)
    }

    @Test func aBadPatternIsNamed() {
        let failure = #expect(throws: ReactorFailure.self) {
            try IndexRequest(["patterns": [".csv$", "("], "level": "1"])
        }
        #expect(failure?.message == "pattern \"(\" has a ( without its ) at character 2")
        let level = #expect(throws: ReactorFailure.self) { try IndexRequest(["patterns": [], "level": "7"]) }
        #expect(level?.message.contains("Reference") == true)
    }
}

import ActorCore
import Reactors
import Testing

/// A table of jobs that start one another, as job files.
@Suite struct ChainImportTests {
    private static let table = """
        index,status,uuid,experiment,file_path,image,args,params,cpu_request,memory_request,disk_request,GPU,next_job
        1,ready,2023-04-17-e-x,chip1.raw.h5,None,lab/sort:1,./run.sh,None,1,32,400,1,2/3
        2,ready,2023-04-17-e-x,chip1.raw.h5,s3://b/k,lab/plot:1,"python a.py, b",p.json,0.5,2,0,0,None
        3,ready,2023-04-17-e-x,,None,lab/all:1,go,,1,1,1,0,4
        4,ready,2023-04-17-e-x,e4,None,lab/x:1,go $HOME,None,None,None,None,None,2
        """

    private func files(_ csv: String, isForAll: Bool = false) throws -> [String: String] {
        let files = try ChainImport(table: "chain.csv", isForAll: isForAll).jobFiles(of: try ChainFile(csv: csv))
        return Dictionary(uniqueKeysWithValues: files.map { ($0.path, String(decoding: $0.text, as: UTF8.self)) })
    }

    @Test func eachRowIsAJobFileThatWaitsForThoseThatStartIt() throws {
        let files = try files(Self.table)
        #expect(files.keys.sorted() == ["1-chip1.yaml", "2-chip1.yaml", "3.yaml", "4-e4.yaml"])
        let first = try #require(files["1-chip1.yaml"])
        #expect(!first.contains("depends-on") && first.contains(#"reactord/applies-if: "name == \"2023-04-17-e-x\"""#))
        #expect(first.contains(#"args: ["./run.sh $REACTORD_INPUT/chip1.raw.h5"]"#))
        #expect(
            first.contains(
                #"limits: {cpu: "1", memory: "32Gi", ephemeral-storage: "400Gi", nvidia.com/gpu: "1"}"#))
        let second = try #require(files["2-chip1.yaml"])
        // Row 4 stands below it: the original never started it from there.
        #expect(second.contains(#"reactord/depends-on: "1-chip1.yaml, 4-e4.yaml""#))
        #expect(second.contains(#"args: ["python a.py, b s3://b/k p.json"]"#))
        #expect(second.contains(#"requests: {cpu: "0.5", memory: "2Gi"}"#))
        #expect(files["3.yaml"]?.contains(#"args: ["go $REACTORD_INPUT"]"#) == true)
        #expect(files["4-e4.yaml"]?.contains("resources") == false)
    }

    @Test func forEveryUploadTheNameIsPutIn() throws {
        let files = try files(Self.table, isForAll: true)
        #expect(files.values.allSatisfy { !$0.contains("applies-if") && $0.contains("-${UUID}\"") })
    }

    @Test(arguments: [
        ("index,status,uuid,image,next_job\n1,,u,,None", "row 1 has no image"),
        ("index,status,uuid,image,cpu_request,next_job\n1,,u,i,much,None", "cpu_request must be a number"),
        ("index,status,uuid,image,next_job\n1,,u,i,7", "starts row 7"),
    ])
    func whatIsWrongIsNamed(_ csv: String, _ reason: String) {
        do {
            _ = try files(csv)
            Issue.record("it was taken: \(csv)")
        } catch {
            #expect("\(error)".contains(reason), "\(error)")
        }
    }

    @Test func rowsOfSeveralUploadsAreNotForAll() {
        #expect(throws: ChainFile.Malformed.self) {
            try files("index,status,uuid,image,next_job\n1,,u,i,2\n2,,v,i,None", isForAll: true)
        }
    }
}

import ActorCore
import ActorDaemon
import Foundation
import Testing

@Suite("restore")
struct RestoreTests {
    @Test("a backup that is not there leaves no data folder behind")
    func missing() throws {
        let folder = try TemporaryFolder()
        let data = folder.path + "/var"
        let error = #expect(throws: ActorError.self) {
            try DatabaseBackup.restore(folder.path + "/none.sqlite", to: data) { _, _ in }
        }
        #expect(error?.code == .notFound && error?.message.contains("none.sqlite cannot be read") == true)
        #expect(!FileManager.default.fileExists(atPath: data))
    }
}

import ActorCore
import Foundation
import Reactors

/// Reads the job files of one actor as a run would.
struct JobFileCheck {
    static let maxFiles = 1000
    /// Stands for the upload's name; files that use it in a name must still be legal.
    static let sampleUpload = "2020-01-01-e-sample"

    let folder: String
    let rules: JobRules

    func run(_ report: inout CheckReport) {
        let root = "\(folder)/jobs"
        guard let walk = FileManager.default.enumerator(atPath: root) else { return }
        var paths: [String] = []
        for case let path as String in walk where path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            guard paths.count < Self.maxFiles else {
                report.error(Problem(file: root, reason: "it has more than \(Self.maxFiles) job files"))
                return
            }
            paths.append("\(root)/\(path)")
        }
        for path in paths.sorted() {
            report.jobFiles += 1
            for problem in problems(of: path) { report.error(problem) }
        }
    }

    private func problems(of path: String) -> [Problem] {
        do {
            let text = try BoundedFile.read(path, limit: 1_048_576).bytes
            let rendered = JobTemplate.render(text, uuid: Self.sampleUpload)
            let document = try YAMLReader().read(yaml: rendered, file: path)
            _ = try JobManifest.decode(document, fallbackName: "job", rules: rules)
            return []
        } catch let error as ActorError {
            return Problem.all(of: error, file: path)
        } catch let error as JobManifest.Invalid {
            return error.problems.map { problem in
                let place = Pointer.dotted(problem.place)
                let reason = place.isEmpty ? problem.reason : "\(place): \(problem.reason)"
                return Problem(file: path, line: problem.line, reason: reason)
            }
        } catch {
            return [Problem(file: path, reason: "\(error)")]
        }
    }
}

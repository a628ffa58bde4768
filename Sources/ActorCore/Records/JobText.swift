/// The words that a job is found by: those of its ids, names, path and parameters.
package enum JobText {
    private static let longest = 65_536
    private static let maxWords = 16

    package static func text(of job: JobRecord) -> String {
        let parts = [
            job.uuid.rawValue, job.pipeline.rawValue, job.session, job.owner, job.path,
            String(JSONWriter.string(job.data).prefix(longest)),
        ]
        return parts.joined(separator: " ")
    }

    /// What is asked for, as words that all have to be there; the words within one of them have to stand together, the
    /// last of these may go on.
    package static func phrases(_ query: String) -> [[String]] {
        query.split(whereSeparator: \.isWhitespace).prefix(maxWords).map { words(of: String($0)) }
            .filter { !$0.isEmpty }
    }

    /// Runs of letters and digits, in lower case.
    package static func words(of text: String) -> [String] {
        text.unicodeScalars.split { scalar in
            !scalar.properties.isAlphabetic && scalar.properties.numericType == nil
        }.map { String(String.UnicodeScalarView($0)).lowercased() }
    }

    /// What the store's index does, in words.
    package static func isFound(_ phrases: [[String]], in text: String) -> Bool {
        let words = words(of: text)
        return phrases.allSatisfy { phrase in
            guard phrase.count <= words.count else { return false }
            return (0...(words.count - phrase.count)).contains { start in
                zip(phrase.dropLast(), words[start...]).allSatisfy(==)
                    && words[start + phrase.count - 1].hasPrefix(phrase[phrase.count - 1])
            }
        }
    }
}

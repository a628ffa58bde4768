/// Rows under headings, aligned with blanks: the same in a pipe, where only the colours are missing.
package struct Table: Sendable, Equatable {
    package struct Cell: Sendable, Equatable, ExpressibleByStringLiteral {
        package let text: String
        package let tone: Tone

        package init(_ text: String, _ tone: Tone = .plain) {
            self.text = text
            self.tone = tone
        }

        package init(stringLiteral value: String) { self.init(value) }

        /// A status, in its colour.
        package static func status(_ word: String) -> Cell { Cell(word, .of(status: word)) }
        package static func number(_ number: Int) -> Cell { Cell(String(number)) }
        /// A dash for nothing.
        package static func optional(_ text: String?) -> Cell { Cell(text ?? "-") }
        /// `2026-11-21 03:16:59` of `2026-11-21T03:16:59.123Z`.
        package static func time(_ text: String?) -> Cell {
            guard let text, text.count >= 19 else { return Cell(text ?? "-") }
            return Cell(String(text.prefix(19)).replacing("T", with: " "))
        }
    }

    package let headings: [String]
    package private(set) var rows: [[Cell]] = []

    package init(_ headings: String...) { self.headings = headings }

    package mutating func add(_ cells: Cell...) { rows.append(cells) }

    /// - Parameter empty: said instead of a table without rows.
    package func render(_ style: Style, empty: String = "nothing") -> String {
        guard !rows.isEmpty else { return empty + "\n" }
        let texts = rows.map { $0.map { Safe.line($0.text) } }
        let widths = headings.indices.map { column in
            texts.reduce(headings[column].count) { max($0, $1.indices.contains(column) ? $1[column].count : 0) }
        }
        func line(_ words: [String], _ tones: [Tone]) -> String {
            var output = ""
            for (column, word) in words.enumerated() {
                output += style.paint(word, tones[column])
                guard column < words.count - 1 else { break }
                output += String(repeating: " ", count: widths[column] - word.count + 2)
            }
            return output + "\n"
        }
        var output = line(headings, headings.map { _ in .strong })
        for (row, words) in zip(rows, texts) { output += line(words, row.map(\.tone)) }
        return output
    }
}

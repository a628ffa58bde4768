import ActorCLI
import ActorCore
import Testing

@Suite("tables")
struct TableTests {
    private var table: Table {
        var table = Table("NAME", "STATUS", "N")
        table.add("hello", .status("READY"), .number(3))
        table.add("pipeline-jobs-manager", .status("ERROR"), .number(12))
        return table
    }

    @Test("columns are aligned, and no blanks stand at the end of a line")
    func plain() {
        #expect(
            table.render(.plain) == """
                NAME                   STATUS  N
                hello                  READY   3
                pipeline-jobs-manager  ERROR   12

                """)
    }

    @Test("colours change nothing but colours")
    func colour() {
        let text = table.render(.colour)
        #expect(text.contains("\u{1b}[32mREADY\u{1b}[0m") && text.contains("\u{1b}[31mERROR\u{1b}[0m"))
        #expect(text.replacing(#/\u{1b}\[\d+m/#, with: "") == table.render(.plain))
    }

    @Test("a table without rows says so")
    func empty() { #expect(Table("A").render(.plain, empty: "no actors") == "no actors\n") }

    @Test("text from elsewhere cannot steer the terminal")
    func hostile() {
        var table = Table("A")
        table.add(Table.Cell("x\u{1b}[2J\ny\u{202e}z\u{9b}"))
        #expect(table.render(.plain) == "A\nx?[2J y?z?\n")
        #expect(Safe.block("a\n\tb\u{1b}]0;t\u{7}\r") == "a\n\tb?]0;t??")
    }

    @Test("times are shortened", arguments: [("2026-11-21T03:16:59.123Z", "2026-11-21 03:16:59"), ("soon", "soon")])
    func times(text: String, shown: String) { #expect(Table.Cell.time(text).text == shown) }

    @Test("nothing is a dash")
    func nothing() {
        #expect(Table.Cell.time(nil).text == "-")
        #expect(Table.Cell.optional(nil).text == "-")
    }
}

import ActorConnectors
import ActorCore
import ActorTesting
import Testing

@Suite struct XMLReaderTests {
    private func read(_ text: String) throws -> XMLElement { try XMLReader.read(Array(text.utf8)) }

    @Test func elementsAndTheirText() throws {
        let root = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- a listing --><s3:List xmlns:s3="http://x/?a=1&amp;b=2" a='>'>
            <Key>a &lt;b&gt; &amp; &quot;c&#x27;&#228;</Key>
             <Empty/><Empty></Empty ><Key><![CDATA[<raw> & ]]]>]]></Key></s3:List>

            """)
        #expect(root.name == "List" && root.children.count == 4)
        #expect(root.text("Key") == "a <b> & \"c'ä" && root.text("Empty") == nil && root["None"] == nil)
        #expect(root.all("Key").map(\.text) == ["a <b> & \"c'ä", "<raw> & ]]]>"])
        let odd = "a<b>&\"\u{1}\n"
        #expect(try read("<a>\(XMLReader.escaped(odd))</a>").text == odd)
    }

    @Test(arguments: [
        "", "text", "<a>", "<a></b>", "<a", "<a/", "<a/><b/>", "<a>&nbsp;</a>", "<a>&#0;</a>", "<a>& b</a>",
        "<a>&lt</a>",
        "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a><!DOCTYPE a></a>", "<a><![CDATA[</a>",
        "<a b=\"</a>", "<>x</>", "<a>&#xD800;</a>", "<a/>x",
        String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40),
    ])
    func whatIsRefused(text: String) {
        #expect(throws: ActorError.self, "\(text.prefix(60))") { try read(text) }
    }

    /// Nothing that is cut, doubled or bent brings it down.
    @Test func bentDocuments() {
        var random = SeededGenerator(seed: 7)
        let text = Array("<a x='1'><b>t&amp;</b><c/><![CDATA[x]]><!-- y --></a>".utf8)
        for _ in 0..<20000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(5), at: place)
                }
                if bytes.isEmpty { break }
            }
            _ = try? XMLReader.read(bytes)
        }
    }
}

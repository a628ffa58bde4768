import Testing

@testable import ActorHTTP

@Suite("metrics")
struct MetricsTests {
    @Test("all lines of one metric are one group, with its help and type first")
    func groups() async throws {
        let row = Row(name: "metrics", path: "/metrics", token: House.adminToken, status: 200)
        let text = try await House().test { try await row.send($0) }.text
        var groups: [String] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            let isComment = line.hasPrefix("# ")
            let metric = String(isComment ? words[2] : line.prefix { $0 != "{" })
            if line.hasPrefix("# HELP ") { groups.append(metric) }
            #expect(groups.last == metric, "\(text)")
        }
        #expect(Set(groups).count == groups.count && groups.count == 3)
        #expect(text.contains(#"reactord_actor_messages_waiting{actor_id="R4Xo",tenant="#), "\(text)")
    }
}

import ActorCore
import Testing

/// How jobs are found by words.
@Suite struct JobTextTests {
    @Test(arguments: [
        ("a2", true), ("133737/A2", true), ("133737 yeast", true), ("A2/133737", false), ("biof", true),
        ("ofab", false), ("", true), ("\"'*", true), ("Yeast-Gat", true), ("gates-yeast", false), ("straße", true),
    ])
    func phrases(query: String, isFound: Bool) {
        let text = #"107 {"sample":"sample.uw_biofab.133737/A2","experiment":"Yeast-Gates"} Straße"#
        #expect(JobText.isFound(JobText.phrases(query), in: text) == isFound, "\(query)")
    }
}

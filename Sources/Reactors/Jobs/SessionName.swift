import ActorCore

/// A name for people to tell runs apart: two words of at most eight letters, `solid-snake`.
package enum SessionName {
    private static let qualities = [
        "able", "amber", "apt", "bold", "brave", "bright", "brisk", "calm", "civil", "clever", "cosmic", "crisp",
        "daring", "deep", "eager", "early", "fair", "fast", "fine", "firm", "fond", "free", "fresh", "gentle",
        "glad", "golden", "grand", "happy", "hardy", "honest", "humble", "keen", "kind", "lively", "loyal", "lucid",
        "mellow", "merry", "modest", "neat", "nimble", "noble", "open", "patient", "plain", "proud", "quick", "quiet",
        "rapid", "ready", "robust", "sharp", "silent", "simple", "solid", "steady", "sunny", "swift", "tidy", "true",
        "vivid", "warm", "whole", "wise",
    ]
    private static let animals = [
        "adder", "alpaca", "ant", "badger", "bat", "beaver", "bee", "bison", "boar", "camel", "cat", "cobra",
        "condor", "coyote", "crab", "crane", "crow", "deer", "dingo", "dove", "eagle", "egret", "elk", "falcon",
        "ferret", "finch", "fox", "frog", "gecko", "goat", "goose", "hare", "hawk", "heron", "horse", "ibex",
        "jackal", "koala", "lark", "lemur", "lion", "llama", "lynx", "magpie", "marten", "mole", "moose", "newt",
        "ocelot", "otter", "owl", "panda", "puffin", "quail", "rabbit", "raven", "robin", "seal", "shrew", "snake",
        "stork", "tapir", "wolf", "yak",
    ]

    /// - Parameter random: two random bytes.
    package static func make(_ random: [UInt8]) -> String {
        let quality = qualities[Int(random.first ?? 0) % qualities.count]
        return "\(quality)-\(animals[Int(random.dropFirst().first ?? 0) % animals.count])"
    }

    static func make(randomHex: String) -> String { make(Hexadecimal.bytes(randomHex) ?? []) }
}

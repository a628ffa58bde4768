import ActorCore

/// The answer to an accepted message, written as bytes: the same text as the envelope of every other answer.
struct MessageReply: Sendable {
    /// What links start with.
    let baseURL: String
    let version: String
    let generation: ActorsGeneration
    let keyCase: KeyCase

    /// - Parameter shown: JSON text.
    func bytes(execution: ExecutionID, of spec: ActorSpec, shown: [UInt8]) -> [UInt8] {
        let prefix = generation.linkPrefix
        let actor = spec.id.rawValue
        var output: [UInt8] = []
        output.reserveCapacity(512 + shown.count)
        output += #"{"message":"The request was successful","status":"success","version":"#.utf8
        JSONWriter.write(text: version, to: &output)
        output += #","result":{"_links":{"messages":"#.utf8
        JSONWriter.write(text: baseURL, prefix, "/", actor, "/messages", to: &output)
        output += #","owner":"#.utf8
        JSONWriter.write(text: baseURL, generation.profilePrefix, "/", spec.owner, to: &output)
        output += #","self":"#.utf8
        JSONWriter.write(text: baseURL, prefix, "/", actor, "/executions/", execution.rawValue, to: &output)
        output += (keyCase == .camel ? #"},"executionId":"# : #"},"execution_id":"#).utf8
        JSONWriter.write(text: execution.rawValue, to: &output)
        if keyCase == .snake || !Self.isNull(shown) {
            output += #","msg":"#.utf8
            output += shown
        }
        output += "}}".utf8
        return output
    }

    /// - Parameter result: JSON text.
    func envelope(_ result: [UInt8]) -> [UInt8] {
        var output = Array(#"{"message":"The request was successful","status":"success","version":"#.utf8)
        JSONWriter.write(text: version, to: &output)
        output += #","result":"#.utf8
        output += result
        output.append(UInt8(ascii: "}"))
        return output
    }

    /// camelCase drops nulls.
    private static func isNull(_ json: [UInt8]) -> Bool {
        guard json.count < 64 else { return false }
        return json.filter { $0 > 0x20 }.elementsEqual("null".utf8)
    }
}

extension HTTPFront {
    func messageReply(_ generation: ActorsGeneration, _ tenant: String) -> MessageReply {
        MessageReply(
            baseURL: baseURL(of: tenant), version: settings.version, generation: generation,
            keyCase: keyCase(generation))
    }
}

import ActorCore
import Crypto

/// What the lines of a history are chained with.
enum SHA256Digest {
    @Sendable static func hex(_ bytes: [UInt8]) -> String { Hexadecimal.text(SHA256.hash(data: bytes)) }
}

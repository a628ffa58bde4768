import Synchronization

/// Folders that uploads are being taken into by this process.
final class ActiveClaims: Sendable {
    private let places = Mutex<[String: Int]>([:])

    func isFree(_ place: String) -> Bool { places.withLock { $0[place] == nil } }
    func begin(_ place: String) { places.withLock { $0[place, default: 0] += 1 } }
    func end(_ place: String) {
        places.withLock { places in
            let left = (places[place] ?? 1) - 1
            places[place] = left > 0 ? left : nil
        }
    }
}

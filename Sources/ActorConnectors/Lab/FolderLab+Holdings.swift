package import ActorCore

extension FolderLab: UploadHoldings {
    package func holdings(after: String?, limit: Int) async throws(ActorError) -> [Holding] {
        let uploads = StoredUploads(root: root)
        return try await blocking { () throws(ActorError) in try uploads.holdings(after: after, limit: limit) }
    }

    package func holding(_ name: String, _ number: Int) async throws(ActorError) -> Holding? {
        let uploads = StoredUploads(root: root)
        return try await blocking { () throws(ActorError) in try uploads.holding(name, number) }
    }

    package func forgetCopy(of name: String, _ number: Int, key: String) async throws(ActorError) {
        let uploads = StoredUploads(root: root)
        try await blocking { () throws(ActorError) in try uploads.forgetCopy(of: name, number, key: key) }
    }

    package func removeFiles(
        of name: String, _ number: Int, key: String, keepingCopy: Bool
    ) async throws(ActorError) {
        let uploads = StoredUploads(root: root)
        try await blocking { () throws(ActorError) in
            try uploads.removeFiles(of: name, number, key: key, keepingCopy: keepingCopy)
        }
    }
}

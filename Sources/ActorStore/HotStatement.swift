import GRDB
import GRDBSQLite

/// A prepared statement of the write connection for what is done once per message: bound without a detour, since
/// there it costs more to box the values than to run it.
struct HotStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ sql: String, on db: Database) throws {
        guard let connection = db.sqliteConnection else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the connection is closed")
        }
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw Self.error(code, connection) }
        self.handle = handle
        self.connection = connection
    }

    func finalize() { sqlite3_finalize(handle) }

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }

    func bind(_ index: Int32, _ value: Int64?) {
        if let value { sqlite3_bind_int64(handle, index, value) } else { sqlite3_bind_null(handle, index) }
    }

    func bind(_ index: Int32, _ value: String?) {
        guard var value else {
            sqlite3_bind_null(handle, index)
            return
        }
        value.withUTF8 { bytes in
            // An empty text has no address of its own, and a null pointer would bind NULL.
            _ = bytes.withMemoryRebound(to: CChar.self) { text in
                if let start = text.baseAddress {
                    sqlite3_bind_text(handle, index, start, Int32(text.count), Self.transient)
                } else {
                    sqlite3_bind_text(handle, index, "", 0, Self.transient)
                }
            }
        }
    }

    /// Runs it once; the blob is bound where it lies. Answers how many rows it changed.
    @discardableResult
    func run(blob: (index: Int32, bytes: [UInt8])? = nil) throws -> Int {
        defer {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        let code: Int32
        if let blob, blob.bytes.isEmpty {
            sqlite3_bind_zeroblob(handle, blob.index, 0)
            code = sqlite3_step(handle)
        } else if let blob {
            code = blob.bytes.withUnsafeBytes { bytes in
                sqlite3_bind_blob64(handle, blob.index, bytes.baseAddress, UInt64(bytes.count), nil)
                return sqlite3_step(handle)
            }
        } else {
            code = sqlite3_step(handle)
        }
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw Self.error(code, connection) }
        return Int(sqlite3_changes(connection))
    }

    private static func error(_ code: Int32, _ connection: OpaquePointer) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: String(cString: sqlite3_errmsg(connection)))
    }
}

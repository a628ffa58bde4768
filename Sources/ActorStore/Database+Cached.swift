import GRDB

extension Database {
    /// Runs a statement that is prepared once per connection: preparing costs more than running it.
    func run(_ sql: String, _ arguments: StatementArguments = []) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func row(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }

    /// All rows, each turned into a value while the cursor stands on it.
    func rows<Value>(
        _ sql: String, _ arguments: StatementArguments = [], _ value: (Row) throws -> Value
    ) throws -> [Value] {
        let cursor = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var values: [Value] = []
        while let row = try cursor.next() { values.append(try value(row)) }
        return values
    }

    func setting(_ key: String) throws -> String? {
        try row("SELECT value FROM settings WHERE key = ?", [key]).map { $0[0] }
    }

    func setSetting(_ key: String, _ value: String) throws {
        try run("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", [key, value])
    }
}

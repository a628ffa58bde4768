import GRDB

/// Every step that the database has taken, oldest first. A step that has shipped is never edited; a new one is added.
enum Migrations {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration(V001Initial.identifier, migrate: V001Initial.migrate)
        migrator.registerMigration(V002Mailbox.identifier, migrate: V002Mailbox.migrate)
        return migrator
    }
}

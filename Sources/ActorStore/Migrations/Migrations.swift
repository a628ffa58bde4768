import GRDB

/// Every step that the database has taken, oldest first. A step that has shipped is never edited; a new one is added.
enum Migrations {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration(V001Initial.identifier, migrate: V001Initial.migrate)
        migrator.registerMigration(V002Mailbox.identifier, migrate: V002Mailbox.migrate)
        migrator.registerMigration(V003Subscriptions.identifier, migrate: V003Subscriptions.migrate)
        migrator.registerMigration(V004Schedules.identifier, migrate: V004Schedules.migrate)
        migrator.registerMigration(V005Jobs.identifier, migrate: V005Jobs.migrate)
        migrator.registerMigration(V006Catalogue.identifier, migrate: V006Catalogue.migrate)
        migrator.registerMigration(V010ActorsAPI.identifier, migrate: V010ActorsAPI.migrate)
        migrator.registerMigration(V020JobPaths.identifier, migrate: V020JobPaths.migrate)
        migrator.registerMigration(V021ExecutionWorkers.identifier, migrate: V021ExecutionWorkers.migrate)
        migrator.registerMigration(V022ExecutionUse.identifier, migrate: V022ExecutionUse.migrate)
        migrator.registerMigration(V023RecordIndices.identifier, migrate: V023RecordIndices.migrate)
        return migrator
    }
}

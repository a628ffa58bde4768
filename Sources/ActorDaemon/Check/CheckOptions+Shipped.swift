import ActorCore
import ActorSchemas
import Reactors

extension Check.Options {
    /// Held against the reactors and the schema compiler that this program ships with.
    package static func shipped(configFile: String?, environment: [String: String]) -> Check.Options {
        Check.Options(
            configFile: configFile, environment: environment, builtins: Set(Catalog.makers.keys),
            compiler: ValijsonCompiler())
    }
}

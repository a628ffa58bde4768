internal import Foundation

/// The variables that the daemon was started with.
enum EnvironmentVariables {
    static var current: [String: String] { ProcessInfo.processInfo.environment }
}

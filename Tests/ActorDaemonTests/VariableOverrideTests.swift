import ActorCore
import ActorDaemon
import Testing

@Suite("variables over settings")
struct VariableOverrideTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let note: String
        let yaml: String
        let variables: [String: String]
        let settings: JSONValue

        var testDescription: String { note }
    }

    /// Recorded from the predecessor (tacconfig 0.5.4, namespace _REACTOR).
    static let recorded = [
        Case(
            note: "both nulls filled",
            yaml: """
                pipelines:
                  pipeline_uuid: f0f417f2-ba8b-5ac4-b421-255b69553391
                  updates_nonce: ~
                  authn: ~
                """,
            variables: [
                "_REACTOR_PIPELINES_AUTHN": "QUJD", "_REACTOR_PIPELINES_UPDATES_NONCE": "SD2E_XqsfKLFd3nrN",
            ],
            settings: [
                "pipelines": [
                    "pipeline_uuid": "f0f417f2-ba8b-5ac4-b421-255b69553391", "updates_nonce": "SD2E_XqsfKLFd3nrN",
                    "authn": "QUJD",
                ]
            ]),
        Case(
            note: "non-null strings are overridden too",
            yaml: "pipelines:\n  pipeline_uuid: f0f417f2\n  updates_nonce: ~\n",
            variables: ["_REACTOR_PIPELINES_PIPELINE_UUID": "106c46ff-8186-5756-a934-071f4497b58d"],
            settings: [
                "pipelines": ["pipeline_uuid": "106c46ff-8186-5756-a934-071f4497b58d", "updates_nonce": .null]
            ]),
        Case(
            note: "a key absent from config.yml is never created from the environment",
            yaml: "pipelines:\n  job_manager_id: x\n", variables: ["_REACTOR_PIPELINES_UPDATES_NONCE": "N"],
            settings: ["pipelines": ["job_manager_id": "x"]]),
        Case(
            note: "only null and string values can be overridden; the value stays a string",
            yaml: "logs:\n  level: DEBUG\n  token: ~\ndebug: false\nport: 27020\nlst: [1]\ntop: ~\n",
            variables: [
                "_REACTOR_LOGS_LEVEL": "INFO", "_REACTOR_DEBUG": "true", "_REACTOR_PORT": "1", "_REACTOR_LST": "x",
                "_REACTOR_TOP": "7",
            ],
            settings: [
                "logs": ["level": "INFO", "token": .null], "debug": false, "port": 27020, "lst": [1], "top": "7",
            ]),
        Case(
            note: "names are upper case and namespaced", yaml: "a:\n  b: v\n",
            variables: ["_reactor_a_b": "low", "TACC_A_B": "other"], settings: ["a": ["b": "v"]]),
    ]

    static let ours = [
        Case(
            note: "any depth, dots and dashes", yaml: "connectors:\n  my-s3:\n    secret.key: ~\n",
            variables: ["_REACTOR_CONNECTORS_MY_S3_SECRET_KEY": "k"],
            settings: ["connectors": ["my-s3": ["secret.key": "k"]]]),
        Case(note: "an empty value counts as set", yaml: "a: ~\n", variables: ["_REACTOR_A": ""], settings: ["a": ""]),
    ]

    @Test("fill what is null or text", arguments: recorded + ours)
    func override(example: Case) throws {
        let document = try YAMLReader().read(yaml: Array(example.yaml.utf8), file: "config.yml")
        let filled = VariableOverrides.apply(to: document.value) { keys in
            let name = VariableOverrides.variable(for: keys)
            return example.variables[name].map { (name, $0) }
        }
        #expect(filled.value == example.settings)
    }

    @Test(
        "names of variables",
        arguments: [
            (["logs", "level"], "_REACTOR_LOGS_LEVEL"),
            (["pipelines", "updates_nonce"], "_REACTOR_PIPELINES_UPDATES_NONCE"),
            (["admin_token_key"], "_REACTOR_ADMIN_TOKEN_KEY"),
        ])
    func names(keys: [String], name: String) { #expect(VariableOverrides.variable(for: keys) == name) }
}

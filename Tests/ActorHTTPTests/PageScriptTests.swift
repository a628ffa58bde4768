import Foundation
import Testing

private enum NodeProgram {
    static let path = ["/usr/bin/node", "/usr/local/bin/node"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
}

/// The page's script in Node, with a page that has just enough of a browser's.
@Suite("the page's script", .enabled(if: NodeProgram.path != nil, "Node.js is not installed"))
struct PageScriptTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/ActorHTTP/UI/app.js").path

    /// A browser in which `answers` maps paths to what the daemon says; `asked` holds what was asked.
    private static let browser = """
        const vm = require("vm");
        class Node {}
        class Element extends Node {
          constructor() {
            super();
            Object.assign(this, { children: [], dataset: {}, textContent: "", hidden: false, tBodies: [] });
            this.classList = { toggle() {} };
          }
          addEventListener() {}
          setAttribute() {}
          focus() {}
          close() {}
          showModal() { this.open = true; }
          append(...children) { this.children.push(...children); }
          replaceChildren(...children) { this.children = children; }
          get parentElement() { return new Element(); }
        }
        const elements = new Map();
        const asked = [];
        const answers = {};
        function element(id) {
          if (!elements.has(id)) {
            const made = new Element();
            made.tBodies = [new Element()];
            elements.set(id, made);
          }
          return elements.get(id);
        }
        const fetch = async (path) => {
          asked.push(path.replace("/api/v1", ""));
          const answer = answers[path.replace("/api/v1", "")];
          if (answer === undefined) return new Promise(() => {});
          if (answer === "gone") throw new TypeError("Failed to fetch");
          return { ok: answer !== "forbidden", status: answer === "forbidden" ? 403 : 200, json: async () => answer };
        };
        const idle = () => {};
        const page = vm.createContext({
          Node, asked, answers, element, fetch, setInterval: idle, setTimeout: idle, clearTimeout: idle,
          URLSearchParams, AbortController, console, window: new Element(),
          sessionStorage: { getItem: idle, setItem: idle, removeItem: idle },
          location: { hash: "", pathname: "/ui/", search: "" },
          document: {
            getElementById: element, createElement: () => new Element(), createTextNode: (text) => text,
            querySelectorAll: () => [],
          },
        });
        vm.runInContext(require("fs").readFileSync(process.argv[1], "utf8"), page);
        vm.runInContext(`(async () => { ${process.argv[2]} })()`, page)
          .then((value) => console.log(JSON.stringify(value)));
        """

    /// What `code` returns after the script of the page, as JSON.
    private func run(_ code: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(NodeProgram.path))
        process.arguments = ["-e", Self.browser, Self.script, code]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("the filter asks for its states, and figures count more than is shown")
    func jobs() throws {
        let code = """
            const job = (uuid, created) => ({ uuid, created, status: "FAILED", last_event: "fail" });
            answers["/jobs/counts"] = { counts: { CREATED: 120, RUNNING: 2, FAILED: 2, REJECTED: 1 }, total: 125 };
            answers["/jobs?limit=100&status=FAILED"] = { jobs: [job("c", "2026-01-03"), job("a", "2026-01-01")] };
            answers["/jobs?limit=100&status=REJECTED"] = { jobs: [job("b", "2026-01-02")] };
            data.filter = "failed";
            await loadJobs();
            return [data.jobs.map((one) => one.uuid).join(""), element("figure-jobs").textContent,
              element("jobs-count").textContent, element("jobs").tBodies[0].children.length];
            """
        #expect(try run(code) == #"["cba",122,3,3]"#)
    }

    @Test("dead letters beyond the page are not kept secret, and who may not replay is not asked to")
    func letters() throws {
        let code = """
            const letter = (id) => ({ id, actor: "a", attempts: 1, parked: "2026-01-01", reason: "r" });
            const list = { dead_letters: [letter(1), letter(2)], next: "1" };
            answers["/audit?limit=1"] = "forbidden";
            session.isAdmin = await isAdmin();
            drawLetters(list);
            const hidden = element("replay-all").hidden;
            answers["/audit?limit=1"] = { audit: [] };
            session.isAdmin = await isAdmin();
            drawLetters(list);
            return [hidden, element("replay-all").hidden, element("figure-letters").textContent];
            """
        #expect(try run(code) == #"[true,false,"2+"]"#)
    }

    @Test("what is not there leaves nothing in the detail")
    func detail() throws {
        let code = """
            openDetail("x", executionFacts({ attempts: 1, status: "COMPLETE" }), executionActions({ finished: "now" }));
            return element("detail-body").children.length;
            """
        #expect(try run(code) == "1")
    }

    @Test("a daemon that is away is named as that")
    func away() throws {
        let code = """
            answers["/executions/x"] = "gone";
            await openExecution("x");
            return element("toast").textContent;
            """
        #expect(try run(code) == #""The daemon cannot be reached. Is it running?""#)
    }
}

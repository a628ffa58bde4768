import ActorCore
import Foundation
import Testing

/// What a peer's black-box suites expect of a server that begins empty, in the order in which they ask for it: the real
/// daemon, commands for images, signed tokens for users (actors API, section 8.1).
@Suite("what suites of the actors API expect", .serialized)
struct PeerExpectationsTests {
    /// A daemon, a gateway in front of it, and one spelling of names.
    private struct House {
        let daemon: RunningDaemon
        let gateway: GatewayFixture
        let isCamel: Bool

        func name(_ snake: String) -> String {
            guard isCamel else { return snake }
            let words = snake.split(separator: "_")
            return String(words[0]) + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        }

        func answer(
            _ method: String, _ path: String, _ body: String = "", type: String = "application/json",
            as user: GatewayFixture.User = .admin, tenant: String = "DEV-DEVELOP"
        ) async throws -> RunningDaemon.Answer {
            try await daemon.request(
                method, path, body: Array(body.utf8), type: type,
                headers: [try gateway.header(user, tenant: tenant)], authorised: false)
        }

        func call(
            _ method: String, _ path: String, _ body: String = "", type: String = "application/json",
            as user: GatewayFixture.User = .admin
        ) async throws -> JSONValue {
            let answer = try await answer(method, path, body, type: type, as: user)
            guard answer.status == 200 else {
                throw RunningDaemon.Failure(description: "\(method) \(path): \(answer.status) \(answer.text)")
            }
            return answer.json["result"] ?? .null
        }

        func make(_ form: String, as user: GatewayFixture.User = .admin) async throws -> String {
            let made = try await call(
                "POST", "/actors", form, type: "application/x-www-form-urlencoded", as: user)
            return try #require(made["id"]?.string)
        }

        func send(_ actor: String, _ form: String, as user: GatewayFixture.User = .admin) async throws -> String {
            let sent = try await call(
                "POST", "/actors/\(actor)/messages", form, type: "application/x-www-form-urlencoded", as: user)
            return try #require(sent[name("execution_id")]?.string)
        }

        func until(_ path: String, _ condition: (JSONValue) -> Bool) async throws -> JSONValue {
            for _ in 0..<2000 {
                let value = try await call("GET", path)
                if condition(value) { return value }
                try await Task.sleep(for: .milliseconds(15))
            }
            throw RunningDaemon.Failure(description: "\(path) did not come so far")
        }

        func complete(_ actor: String, _ execution: String) async throws -> JSONValue {
            try await until("/actors/\(actor)/executions/\(execution)") { $0["status"] == "COMPLETE" }
        }

        func log(_ actor: String, _ execution: String) async throws -> String {
            try await call("GET", "/actors/\(actor)/executions/\(execution)/logs")["logs"]?.string ?? ""
        }

        func found(
            _ query: String, as user: GatewayFixture.User = .admin
        ) async throws -> (total: Int, items: [JSONValue]) {
            let result = try await call("GET", "/actors/search/\(query)", as: user)
            return (
                try #require(result["_metadata"]?[name("total_count")]?.int), result["search"]?.array ?? []
            )
        }
    }

    @Test(arguments: [false, true])
    func fromAnEmptyServer(isCamel: Bool) async throws {
        let gateway = try GatewayFixture()
        let daemon = try RunningDaemon(shipped: [])
        try daemon.write(gateway.publicKey, to: "gateway.pem")
        try daemon.write(
            """
            server: {case: \(isCamel ? "camel" : "snake")}
            tenants: {DEV-DEVELOP: {api_server: "http://lab.example"}, DEV-STAGING: {}}
            \(GatewayFixture.configuration)
            \(PeerImages.configuration(in: daemon.folder))
            """, to: "config.yml")
        try PeerImages.write(to: daemon)
        try await withDaemon(daemon) { daemon in
            try await daemon.start()
            let house = House(daemon: daemon, gateway: gateway, isCamel: isCamel)
            try await empty(house)
            let basic = try await register(house)
            try await environment(house, basic)
            try await link(house)
            try await webhook(house)
            try await cron(house)
            try await forceQuit(house)
            try await synchronous(house, basic)
            try await results(house)
            try await sharing(house, basic)
            try await workers(house, basic)
            try await search(house, basic)
            try await tenants(house, basic)
            try await survives(house, basic)
            try await removal(house)
        }
    }

    private func empty(_ house: House) async throws {
        let none = try await house.call("GET", "//actors")
        #expect(none == [])
        let guest = try await house.answer("GET", "/actors", as: .nobody)
        #expect(guest.status == 400 && guest.text.contains("Not authorized -- missing required role."))
        let nothing = try await house.daemon.request("GET", "/actors", authorised: false)
        #expect(nothing.status == 400 && nothing.text.contains("No JWT or nonce provided."))
        let missing = try await house.answer("POST", "/actors", "name=x", type: "application/x-www-form-urlencoded")
        #expect(
            missing.json["message"]
                == "Invalid actor description: {'image': 'Reference to image on docker hub for this actor.'}")
    }

    /// By form, JSON, query alone and multipart.
    private func register(_ house: House) async throws -> String {
        let basic = try await house.make("image=jstubbs/abaco_test&name=abaco_test_suite&stateless=False")
        let shown = try await house.until("/actors/\(basic)") { $0["status"] == "READY" }
        #expect(shown["owner"] == "testuser" && shown["name"] == "abaco_test_suite")
        #expect(shown[house.name("status_message")]?.string?.isEmpty == false)
        #expect(shown["revision"] == 1 && shown["token"] == "false" && shown["tenant"] == nil)
        let environment =
            #"{"image": "jstubbs/abaco_test", "name": "abaco_test_suite_default_env", "stateless": false, "#
            + #""\#(house.name("default_environment"))": {"default_env_key1": "default_env_value1", "n": 2}}"#
        let second = try await house.call("POST", "/actors", environment)
        #expect(second[house.name("default_environment")]?["default_env_key1"] == "default_env_value1")
        let third = try await house.call("POST", "/actors?image=abacosamples/wc&name=by_query&hints=sync")
        #expect(third["hints"] == ["sync"] && third["stateless"] == true)
        let parts =
            "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nnobody/knows_it\r\n--b--\r\n"
        let fourth = try await house.call("POST", "/actors", parts, type: "multipart/form-data; boundary=b")
        #expect(fourth["status"] == "ERROR")
        #expect(fourth[house.name("status_message")]?.string?.contains("executors.process.images") == true)
        for (form, says) in [
            ("image=a&stateless=maybe", "takes true or false"),
            ("image=a&hints=%5Bx", "takes words without"),
            ("image=a&stateless=false&\(house.name("max_workers"))=2", "stateful actors can only have 1 worker."),
            ("image=a&link=nobody", "Invalid link parameter; unable to retrieve linked actor data."),
            ("image=a&webhook=ftp://x", "takes a URL"), ("image=a&queue=mine", "takes one of default, special"),
        ] {
            let refused = try await house.answer(
                "POST", "/actors", form, type: "application/x-www-form-urlencoded")
            #expect(refused.status == 400 && refused.text.contains(says), "\(form): \(refused.text)")
        }
        for (form, what) in [
            ("privileged=true", "make privileged actors"), ("\(house.name("max_workers"))=3", "set max workers"),
            ("\(house.name("max_cpus"))=3", "set max CPUs"), ("\(house.name("mem_limit"))=3m", "set mem limit"),
            ("queue=special", "set queue"),
        ] {
            let refused = try await house.answer(
                "POST", "/actors", "image=a&\(form)", type: "application/x-www-form-urlencoded", as: .user)
            #expect(
                refused.text.contains("Not authorized -- only admins and privileged users can \(what)."),
                "\(refused.text)")
        }
        // Another image is another revision; the name stays, what is left out goes back to its default.
        let id = try #require(second["id"]?.string)
        let form = "image=jstubbs/abaco_test2&stateless=False&name=other"
        let changed = try await house.call("PUT", "/actors/\(id)", form, type: "application/x-www-form-urlencoded")
        #expect(changed["revision"] == 2 && changed["name"] == "abaco_test_suite_default_env")
        #expect(changed[house.name("default_environment")] == [:])
        let again = try await house.call("PUT", "/actors/\(id)", form, type: "application/x-www-form-urlencoded")
        #expect(again["revision"] == 2)
        let forced = try await house.call(
            "PUT", "/actors/\(id)", form + "&force=false", type: "application/x-www-form-urlencoded")
        #expect(forced["revision"] == 3)
        let refused = try await house.answer(
            "PUT", "/actors/\(id)", "image=a", type: "application/x-www-form-urlencoded")
        #expect(refused.text.contains("an actor that was not stateless cannot be updated to be stateless."))
        return basic
    }

    private func environment(_ house: House, _ basic: String) async throws {
        let state = try await house.call("POST", "/actors/\(basic)/state", #"{"foo": "abc", "n": [1, null, true]}"#)
        #expect(state["state"]?["foo"] == "abc")
        _ = try await house.call(
            "POST", "/actors/configs",
            #"{"name": "shared", "value": "s3cret-value", "\#(house.name("is_secret"))": true, "actors": "\#(basic)"}"#)
        let execution = try await house.send(basic, "message=testing execution")
        let record = try await house.complete(basic, execution)
        #expect(record[house.name("exit_code")] == 0 && record["executor"] == "testuser")
        #expect(record[house.name("worker_id")]?.string?.isEmpty == false)
        #expect(record[house.name("final_state")]?["Status"] == "exited")
        let log = try await house.log(basic, execution)
        for part in [
            "Contents of MSG: testing execution", "PATH", "_abaco_actor_id=\(basic)", "_abaco_api_server=http",
            "_abaco_actor_state={'foo': 'abc', 'n': [1, None, True]}", "_abaco_username=testuser",
            "_abaco_execution_id=\(execution)", "_abaco_Content_Type=str", "_abaco_container_repo=jstubbs/abaco_test",
            "_abaco_worker_id=", "_abaco_actor_name=abaco_test_suite", "_abaco_actor_dbid=DEV-DEVELOP_\(basic)",
            "_abaco_jwt_header_name=X-Jwt-Assertion-Dev-Develop", "_abaco_actor_revision=1",
            "_actor_configs={'shared': 's3cret-value'}",
        ] {
            #expect(log.contains(part), "\(part) in \(log)")
        }
        let json = try await house.call("POST", "/actors/\(basic)/messages?k=v", #"{"a": true, "b": null}"#)
        #expect(json["msg"] == ["a": true, "b": nil])
        let second = try #require(json[house.name("execution_id")]?.string)
        _ = try await house.complete(basic, second)
        let told = try await house.log(basic, second)
        #expect(told.contains("Contents of MSG: {'a': True, 'b': None}") && told.contains("\nk=v\n"))
    }

    private func link(_ house: House) async throws {
        let receiver = try await house.make("image=jstubbs/abaco_test&stateless=False")
        let sender = try await house.make("image=jstubbs/abaco_test&link=\(receiver)")
        _ = try await house.complete(sender, try await house.send(sender, "message=go"))
        try await hears(house, receiver)
        try await hearsOfTrouble(house, receiver)
        let circle = try await house.answer(
            "PUT", "/actors/\(receiver)", "image=jstubbs/abaco_test&stateless=False&link=\(sender)",
            type: "application/x-www-form-urlencoded")
        #expect(circle.status == 400)
        #expect(circle.text.contains("Error: this update would result in a cycle of linked actors."))
    }

    /// An actor that cannot run says so to the one it is linked to.
    private func hearsOfTrouble(_ house: House, _ receiver: String) async throws {
        _ = try await house.make("image=nobody/knows_it&link=\(receiver)")
        let events = try await house.until("/actors/\(receiver)/executions") { list in
            let items = list["executions"]?.array ?? []
            return items.count >= 3 && items.allSatisfy { $0["status"] == "COMPLETE" }
        }
        let newest = try #require(events["executions"]?.array?.first?["id"]?.string)
        let log = try await house.log(receiver, newest)
        #expect(log.contains("'event_type': 'ACTOR_ERROR'") && log.contains("executors.process.images"), "\(log)")
    }

    /// Both events have reached an actor that prints them.
    private func hears(_ house: House, _ actor: String) async throws {
        let events = try await house.until("/actors/\(actor)/executions") { list in
            let items = list["executions"]?.array ?? []
            return items.count >= 2 && items.allSatisfy { $0["status"] == "COMPLETE" }
        }
        var logs = ""
        for item in events["executions"]?.array ?? [] {
            logs += try await house.log(actor, try #require(item["id"]?.string))
        }
        for part in [
            "'event_type': 'ACTOR_READY'", "'event_type': 'EXECUTION_COMPLETE'", "event_time_utc", "event_time_display",
            "_abaco_username=", "'exit_code': 0", "'status': 'COMPLETE'",
        ] {
            #expect(logs.contains(part), "\(part) in \(logs)")
        }
    }

    /// The daemon calls itself while it serves, and the nonce opens its door.
    private func webhook(_ house: House) async throws {
        let receiver = try await house.make("image=jstubbs/abaco_test&stateless=False")
        let nonce = try await house.call("POST", "/actors/\(receiver)/nonces")
        let id = try #require(nonce["id"]?.string)
        #expect(nonce[house.name("last_use_time")] == "None" && nonce["level"] == "EXECUTE")
        let url = "\(house.daemon.base)/actors/\(receiver)/messages?x-nonce=\(id)"
        let sender = try await house.make(
            "image=jstubbs/abaco_test&webhook=\(url.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        )
        _ = try await house.complete(sender, try await house.send(sender, "message=go"))
        try await hears(house, receiver)
        let used = try await house.call("GET", "/actors/\(receiver)/nonces/\(id)")
        #expect(used[house.name("current_uses")] == 2)
    }

    private func cron(_ house: House) async throws {
        let schedule = house.name("cron_schedule")
        func make(_ text: String) async throws -> RunningDaemon.Answer {
            let escaped = text.replacingOccurrences(of: "+", with: "%2B").replacingOccurrences(of: " ", with: "+")
            return try await house.answer(
                "POST", "/actors", "image=jstubbs/abaco_test&\(schedule)=\(escaped)",
                type: "application/x-www-form-urlencoded")
        }
        let made = try await make("2078-09-6 20 + 3 months").json["result"]
        #expect(made?[house.name("cron_on")] == true && made?[house.name("cron_next_ex")] == "2078-09-6 20")
        let read = try await house.call("GET", "/actors/\(try #require(made?["id"]?.string))")
        #expect(read[house.name("cron_next_ex")] == "2078-09-6 20")
        let now = try #require(try await make("now + 1 week").json["result"]?["id"]?.string)
        let run = try await house.until("/actors/\(now)/executions") {
            $0["executions"]?.array?.first?["status"] == "COMPLETE"
        }
        let log = try await house.log(now, try #require(run["executions"]?.array?.first?["id"]?.string))
        #expect(log.contains("Contents of MSG: This is your cron execution"))
        for (text, says) in [
            ("2020-06-21 14 + 6 hours", "The starting datetime is old. The current UTC time is "),
            ("2078-06-21 14 + 6 flimflams", "is an invalid unit of time"),
            ("2078-06-21-14 + 6 hours", "The cron is not in the correct format"),
            ("2078-06-41 14 + 6 hours", "is not in the correct format"),
        ] {
            let refused = try await make(text)
            #expect(refused.status == 400 && refused.text.contains(says), "\(refused.text)")
        }
    }

    private func forceQuit(_ house: House) async throws {
        let sleeper = try await house.make("image=abacosamples/sleep_loop")
        let execution = try await house.send(sleeper, "message=go")
        let path = "/actors/\(sleeper)/executions/\(execution)"
        let running = try await house.until(path) { $0["status"] == "RUNNING" }
        #expect(running[house.name("worker_id")]?.string?.isEmpty == false)
        _ = try await house.until("\(path)/logs") { $0["logs"]?.string?.contains("still here") == true }
        let stopped = try await house.answer("DELETE", path)
        #expect(stopped.json["message"] == .string("Issued force quit command for execution \(execution)."))
        _ = try await house.complete(sleeper, execution)
        let late = try await house.answer("DELETE", path)
        #expect(late.status == 400)
        #expect(late.text.contains("Execution was found in status: COMPLETE"))
    }

    private func synchronous(_ house: House, _ basic: String) async throws {
        let answer = try await house.answer(
            "POST", "/actors/\(basic)/messages?_abaco_synchronous=true", "message=at once",
            type: "application/x-www-form-urlencoded")
        #expect(answer.status == 200 && answer.text.contains("Contents of MSG: at once"))
        #expect(
            answer.headers.contains { $0.name.lowercased() == "content-type" && $0.value == "text/html; charset=utf-8" }
        )
        // It ends also when the execution fails, and does not begin to wait where nothing runs.
        for (image, status, says) in [
            ("abacosamples/failing", 200, "what it said before"), ("nobody/knows", 409, "is in ERROR and runs nothing"),
        ] {
            let actor = try await house.make("image=\(image)")
            let path = "/actors/\(actor)"
            let failed = try await house.answer("POST", "\(path)/messages?_abaco_synchronous=true", #"{"a": 1}"#)
            #expect(failed.status == status && failed.text.contains(says), "\(failed.text)")
            _ = try await house.call("DELETE", path)
        }
    }

    /// Bytes in, datagrams out, each popped once.
    private func results(_ house: House) async throws {
        let actor = try await house.make("image=abacosamples/py3_func&stateless=False")
        let bytes: [UInt8] = [0, 255, 10, 13, 0, 128, 65]
        func send(_ query: String = "") async throws -> RunningDaemon.Answer {
            try await house.daemon.request(
                "POST", "/actors/\(actor)/messages\(query)", body: bytes, type: "application/octet-stream",
                headers: [try house.gateway.header(.admin)], authorised: false)
        }
        let sent = try await send().json["result"]
        #expect(sent?["msg"] == "binary - omitted")
        let execution = try #require(sent?[house.name("execution_id")]?.string)
        _ = try await house.complete(actor, execution)
        #expect(try await house.log(actor, execution).contains("sent 7 False"))
        let path = "/actors/\(actor)/executions/\(execution)/results"
        for expected in [bytes, bytes.reversed(), [], []] {
            let answer = try await house.answer("GET", path)
            #expect(answer.status == 200 && answer.body == expected)
        }
        let waited = try await send("?_abaco_synchronous=true")
        #expect(waited.body == bytes)
    }

    private func sharing(_ house: House, _ basic: String) async throws {
        let path = "/actors/\(basic)"
        let stranger = try await house.answer("GET", path, as: .privileged)
        #expect(stranger.text.contains("Not authorized -- you do not have access to this actor."))
        _ = try await house.call("POST", "\(path)/permissions", #"{"user": "testshareuser", "level": "READ"}"#)
        _ = try await house.call("GET", path, as: .privileged)
        let unable = try await house.answer("POST", "\(path)/messages", #"{"a": 1}"#, as: .privileged)
        #expect(unable.status == 400)
        let wrong = try await house.answer("POST", "\(path)/permissions", #"{"user": "x", "level": "ALL"}"#)
        #expect(wrong.text.contains("Invalid permission level: ALL."))
        let levels = try await house.call(
            "POST", "\(path)/permissions", "user=testshareuser&level=UPDATE", type: "application/x-www-form-urlencoded")
        #expect(levels == ["testshareuser": "UPDATE", "testuser": "UPDATE"])
        // Another user may change it, and its owner stays.
        let changed = try await house.call(
            "PUT", path, "image=jstubbs/abaco_test2&stateless=False", type: "application/x-www-form-urlencoded",
            as: .privileged)
        #expect(changed["owner"] == "testuser" && changed["image"] == "jstubbs/abaco_test2")
        _ = try await house.call("POST", "\(path)/permissions", #"{"user": "ABACO_WORLD", "level": "READ"}"#)
        _ = try await house.call("GET", path, as: .limited)
        let more = try await house.answer("POST", "\(path)/messages", #"{"a": 1}"#, as: .limited)
        #expect(more.status == 400, "everybody may read it, and no more")
        let aliased = try await house.call(
            "POST", "/actors/aliases", #"{"alias": "jane.doe", "\#(house.name("actor_id"))": "\#(basic)"}"#)
        #expect(aliased["alias"] == "jane.doe")
        #expect(try await house.call("GET", "/actors/jane.doe")["id"] == .string(basic))
        for word in ["executions", "admin", basic, "a b", "a:b"] {
            let refused = try await house.answer(
                "POST", "/actors/aliases", #"{"alias": "\#(word)", "actor_id": "\#(basic)"}"#)
            #expect(refused.status == 400, "\(word)")
        }
        let nonce = try await house.call("POST", "/actors/aliases/jane.doe/nonces", #"{"level": "READ"}"#)
        let id = try #require(nonce["id"]?.string)
        let update = try await house.answer("POST", "/actors/aliases/jane.doe/nonces", #"{"level": "UPDATE"}"#)
        #expect(update.text.contains("must be one of: ('NONE', 'READ', 'EXECUTE')"))
        let opened = try await house.daemon.request("GET", "/actors/jane.doe?x-nonce=\(id)", authorised: false)
        #expect(opened.status == 200)
        for (other, says) in [
            ("/actors/\(basic)", "Nonce does not exist."), ("/actors", "Not authorized."),
            ("/actors/search/actors", "does not resolve"), ("/actors/admin", "Actor with identifier 'admin' not found"),
            ("/actors/aliases", "Unable to parse actor identifier"),
            ("/actors/utilization", "Actor with identifier 'utilization' not found"),
        ] {
            let refused = try await house.daemon.request("GET", "\(other)?x-nonce=\(id)", authorised: false)
            #expect(refused.status >= 400 && refused.text.contains(says), "\(other): \(refused.text)")
        }
        // A nonce that may only read does not see the others.
        _ = try await house.call("POST", "/actors/aliases/jane.doe/nonces")
        _ = try await house.call("POST", "\(path)/nonces")
        let seen = try await house.daemon.request("GET", "/actors/jane.doe/nonces?x-nonce=\(id)", authorised: false)
        #expect(seen.json["result"] == [])
    }

    private func workers(_ house: House, _ basic: String) async throws {
        let path = "/actors/\(basic)/workers"
        let refused = try await house.answer("POST", path, as: .privileged)
        #expect(refused.text.contains("Not authorized -- only admins are authorized to update workers."))
        let enough = try await house.answer("POST", path)
        #expect(enough.json["message"] == .string("Actor \(basic) already had 1 worker(s)."))
        let one = try await house.call("GET", path).array ?? []
        #expect(one.count == 1)
        for key in ["image", "location", "cid", "tenant", "ch_name"] {
            #expect(one[0][house.name(key)]?.string?.isEmpty == false, "\(key)")
        }
        #expect(["READY", "BUSY"].contains(one[0]["status"]?.string))
        let more = try await house.answer("POST", path, #"{"num": 2}"#)
        #expect(
            more.json["message"] == "Scheduled 1 new worker(s) to start. Previously, there were 1 workers.")
        let two = try await house.call("GET", path).array ?? []
        #expect(two.count == 2)
        let id = try #require(two.last?["id"]?.string)
        #expect(try await house.call("GET", "\(path)/\(id)")["id"] == .string(id))
        _ = try await house.call("DELETE", "\(path)/\(id)")
        #expect(try await house.call("GET", path).array?.count == 1)
        let gone = try await house.answer("GET", "\(path)/\(id)")
        #expect(gone.status == 404 && gone.text.contains("Worker not found."))
    }

    private func search(_ house: House, _ basic: String) async throws {
        let all = try await house.found("actors")
        #expect(all.total == all.items.count && all.total > 8)
        #expect(all.items.allSatisfy { $0["tenant"] == nil && $0[house.name("log_ex")] == .null })
        let one = try await house.found("actors?image=abacosamples/sleep_loop")
        #expect(one.items.count == 1 && one.items[0]["token"] == "false")
        #expect(try await house.found("actors", as: .privileged).total == 1)
        #expect(try await house.found("actors", as: .limited).total == 0, "the world's permission is not one's own")
        let executions = try await house.found("executions")
        let own = try await house.found("executions", as: .privileged)
        #expect(executions.total > own.total && own.total == 3)
        #expect(try await house.found("logs", as: .privileged).total == 3)
        #expect(try await house.found("workers", as: .privileged).total == 1)
        #expect(try await house.found("workers").total <= 15)
        let created = house.name("create_time")
        let started = house.name("final_state") + ".StartedAt"
        let received = house.name("message_received_time")
        for (query, total) in [
            ("actors?\(created).gt=2000-05:00", all.total), ("actors?\(created).lt=2000-01-01T01:00", 0),
            ("actors?\(created).between=2000-01-01,2200-01-01T01:00:00.000Z", all.total),
            ("executions?\(started).gt=2000-01-01", executions.total), ("executions?\(received).lt=2000-05:00", 0),
            (#"executions?status.in=%5B%22COMPLETE%22,%20%22READY%22%5D"#, executions.total),
            (#"executions?status.nin=%5B%22COMPLETE%22,%20%22READY%22%5D"#, 0), ("actors?id=\(basic)", 1),
            ("executions?\(house.name("exit_code"))=0&\(house.name("actor_id"))=\(basic)", 3),
        ] {
            #expect(try await house.found(query).total == total, "\(query)")
        }
        let page = try await house.found("actors?limit=2&skip=1")
        #expect(page.total == all.total && page.items.map { $0["id"] } == all.items[1...2].map { $0["id"] })
        let listed = try await house.answer("GET", "/actors?limit=1")
        #expect(listed.json["message"] == "Actors search completed successfully.")
        let ofActor = try await house.answer("GET", "/actors/\(basic)/executions?status=COMPLETE")
        #expect(ofActor.json["message"] == "Executions search completed successfully.")
        #expect(ofActor.json["result"]?["search"]?.array?.count == 3)
        let bad = try await house.answer("GET", "/actors/search/pies")
        #expect(bad.status == 400)
        let usage = try await house.call("GET", "/actors/utilization")
        #expect(usage["currentActors"]?.int == all.total)
        #expect(try await house.call("GET", "/actors/admin").array?.count == all.total)
        #expect(try await house.call("GET", "/actors/admin/workers")["summary"] != nil)
        let summary = try await house.call("GET", "/actors/admin/executions")
        #expect(summary["summary"]?["total_executions_all_time"]?.int ?? 0 >= executions.total)
        // The images of these actors are local commands: what they use is measured.
        #expect(summary["summary"]?["total_execution_cpu_all_time"]?.int ?? 0 > 0)
        #expect(summary["summary"]?["total_execution_io_existing"]?.int ?? 0 > 0)
        let refused = try await house.answer("GET", "/actors/admin", as: .privileged)
        #expect(refused.text.contains("Abaco Admin role required."))
    }

    private func tenants(_ house: House, _ basic: String) async throws {
        let other = try await house.answer("GET", "/actors/\(basic)", tenant: "DEV-STAGING")
        #expect(other.status == 404 && other.text.contains("No actor found with identifier: \(basic)."))
        let user = try await house.answer("GET", "/actors/\(basic)", as: .user, tenant: "DEV-STAGING")
        #expect(user.text.contains("Actor DEV-STAGING_\(basic) does not exist"))
        for path in ["/actors", "/actors/aliases", "/actors/configs", "/actors/admin"] {
            let answer = try await house.answer("GET", path, tenant: "DEV-STAGING")
            #expect(answer.json["result"] == [], "\(path)")
        }
        let alias = try await house.answer("GET", "/actors/jane.doe", tenant: "DEV-STAGING")
        #expect(alias.status == 404)
    }

    /// What was made is there after a kill.
    private func survives(_ house: House, _ basic: String) async throws {
        func look() async throws -> [JSONValue] {
            var seen: [JSONValue] = []
            for path in [
                "/actors/\(basic)", "/actors/aliases", "/actors/configs", "/actors/\(basic)/permissions",
                "/actors/\(basic)/nonces", "/actors/jane.doe/state", "/actors/aliases/jane.doe/nonces",
            ] { seen.append(try await house.call("GET", path)) }
            return seen
        }
        let before = try await look()
        await house.daemon.killNow()
        try await house.daemon.start()
        #expect(try await look() == before)
        let execution = try await house.send(basic, "message=again")
        _ = try await house.complete(basic, execution)
        let log = try await house.log(basic, execution)
        #expect(log.contains("Contents of MSG: again") && log.contains("'shared': 's3cret-value'"))
    }

    private func removal(_ house: House) async throws {
        let sleeper = try await house.make("image=abacosamples/sleep_loop&stateless=False")
        let first = try await house.send(sleeper, "message=one")
        _ = try await house.send(sleeper, "message=two")
        _ = try await house.until("/actors/\(sleeper)/executions/\(first)") { $0["status"] == "RUNNING" }
        for actor in try await house.call("GET", "/actors").array ?? [] {
            let id = try #require(actor["id"]?.string)
            let answer = try await house.answer("DELETE", "/actors/\(id)")
            #expect(answer.json["message"] == "Actor deleted successfully.", "\(answer.text)")
        }
        #expect(try await house.call("GET", "/actors") == [])
        #expect(try await house.call("GET", "/actors/aliases") == [])
        let gone = try await house.answer("POST", "/actors/\(sleeper)/messages", #"{"a": 1}"#)
        #expect(gone.status == 404)
        await house.daemon.killNow()
        try await house.daemon.start()
        #expect(try await house.call("GET", "/actors") == [])
    }
}

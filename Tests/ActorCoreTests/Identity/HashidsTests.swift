import ActorCore
import ActorTesting
import Testing

@Suite struct HashidsTests {
    /// Ids published in the documents of Abaco and of the job catalogue (PipelineJobs, section 4.5).
    @Test(arguments: [
        ("e5QKEW8L0BeZ4", true), ("OZYYyRpreyYBz", true), ("rRpyeOZYYyYBz", false), ("G56vjoAVzGkkq", true),
        ("G1p783PxpalBB", true), ("MEzqaw4rkWZoK", true), ("gO0JeWaBM4p3J", true), ("jobs-manager.prod", false),
        ("meep-meep-meep", false), ("", false), ("a", false), ("6y", true), ("ü", false),
    ])
    func tellsAnIdFromAnAlias(_ text: String, _ isID: Bool) {
        #expect((Hashids.abaco.decode(text) != nil) == isID)
    }

    @Test(arguments: [("6y", 0), ("R4Xo", 12345)] as [(String, UInt128)])
    func encodesAbacoIds(_ text: String, _ number: UInt128) {
        #expect(Hashids.abaco.encode(number) == text)
        #expect(Hashids.abaco.decode(text) == number)
    }

    /// Path elements of the job catalogue: 128-bit UUIDs as one number (PipelineJobs, sections 4.5 and 4.6).
    @Test(arguments: [
        ("21286396083843893618182296068538150425", "PAVpwrObxp5YjYRvrJOd5yVp"),
        ("21290033755644146248538827616140634862", "5pQxBkRrRe2GEPOWWZBq4LNQ"),
        ("21330170526031607825207060507088708536", "kZpoopq2GBKYy6DQ9pqqNbk8"),
        ("21293550628565061063971403229516673436", "kZgygQV2EDAAkDLRzrep1gO2"),
        ("21313380712891336462985768438450843149", "Db6rzKZnnyA8E5qvwvxjpwZ4"),
        ("21299060075493341482419367388923768860", "3pGLppQE69r3Z36EY3jlxxpN"),
        ("21342638526289900087942677198165132092", "VGydXB9zp3kbwq590GjZljPk"),
        ("21271790512385019479943262363587402489", "rj8ozqgwGpo9DRXWyKOL86zr"),
    ])
    func encodesPathElements(_ number: String, _ text: String) throws {
        let value = try #require(UInt128(number))
        #expect(Hashids.catalogue.encode(value) == text)
        #expect(Hashids.catalogue.decode(text) == value)
    }

    @Test(arguments: [Hashids.abaco, Hashids.catalogue, Hashids(salt: "")])
    func decodesWhatItEncodes(_ hashids: Hashids) {
        for shift in 0..<128 {
            for number in [UInt128(1) << UInt128(shift), UInt128.max >> UInt128(shift)] {
                #expect(hashids.decode(hashids.encode(number)) == number)
            }
        }
    }

    @Test(arguments: ["eJa5wZlEX4eWU", "xCPJ7PKTdp8BYYb4twh9xNYD", "", "a"])
    func spellsLikeThePlainAlgorithm(_ salt: String) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let plain = PlainHashids(salt: salt)
        let hashids = Hashids(salt: salt)
        var numbers = (0...4000).map { UInt128($0) }
        for _ in 0..<4000 {
            let number = UInt128(random.next()) << 64 | UInt128(random.next())
            numbers.append(number >> UInt128(random.next() % 128))
        }
        for number in numbers {
            let text = plain.encode(number)
            #expect(hashids.encode(number) == text, "seed \(seed)")
            #expect(hashids.decode(text) == number, "seed \(seed)")
            var letters = Array(text.utf8)
            letters[Int(random.next() % UInt64(letters.count))] = UInt8(random.next() % 128)
            if random.next() % 4 == 0 { letters.insert(letters[0], at: 1) }
            let changed = String(decoding: letters, as: UTF8.self)
            #expect(hashids.decode(changed) == plain.decode(changed), "seed \(seed): \(changed)")
        }
    }

    @Test func moreThan128BitsAreNoId() {
        #expect(Hashids.abaco.decode(Hashids.abaco.encode(.max) + "aaaa") == nil)
        #expect(Hashids.abaco.decode(String(repeating: "e", count: 100_000)) == nil)
    }
}

@Suite struct NameRulesTests {
    @Test(arguments: [
        ("2022-10-28-e-alginate_orgs_1", true), ("2022-05-03-e-", true), ("a.zip", true), ("two words", true),
        ("a+b=c@d,e", true), (String(repeating: "a", count: 200), true), ("..a", false), ("", false), (".", false),
        ("..", false), (".hidden", false), ("-rf", false), ("a/b", false), ("a\\b", false), ("a\u{0}b", false),
        ("a\nb", false), (" a", false), ("a ", false), ("ü", false), ("a:b", false), ("$(x)", false), ("a;b", false),
        ("~", false), ("\u{202e}a", false), (String(repeating: "a", count: 201), false),
    ])
    func uploadNames(_ name: String, _ isGood: Bool) { #expect(NameRules.isUploadName(name) == isGood) }

    @Test(arguments: [
        ("a", true), ("a/b.txt", true), ("a/../b", false), ("/a", false), ("a/", false), ("a//b", false), ("", false),
        (Array(repeating: "a", count: 16).joined(separator: "/"), true),
        (Array(repeating: "a", count: 17).joined(separator: "/"), false),
    ])
    func uploadPaths(_ path: String, _ isGood: Bool) { #expect(NameRules.isUploadPath(path) == isGood) }

    @Test(arguments: [
        ("hello", true), ("jobs-manager.prod", true), ("a_b~c", true), ("admin", false), ("search", false),
        ("e5QKEW8L0BeZ4", false), ("", false), (".", false), ("..", false), ("a/b", false), ("a b", false),
        ("a?b", false), ("é", false), (String(repeating: "-", count: 128), true),
        (String(repeating: "-", count: 129), false),
    ])
    func aliases(_ name: String, _ isGood: Bool) { #expect(NameRules.isAlias(name) == isGood) }
}

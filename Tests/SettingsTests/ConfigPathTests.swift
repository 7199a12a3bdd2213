// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Settings

@Suite struct ConfigPathTests {
    @Test(
        arguments: [
            ("a", [ConfigPath.Step.key("a")]), ("a.b", [.key("a"), .key("b")]), ("a[2].b", [.key("a"), .index(2), .key("b")]),
            ("rules[].disable.tag", [.key("rules"), .append, .key("disable"), .key("tag")]),
            ("a\\.b.c", [.key("a.b"), .key("c")]),
            ("a\\[0\\]", [.key("a[0]")]), ("back\\\\slash", [.key("back\\slash")]),
            ("a[1][2]", [.key("a"), .index(1), .index(2)]),
        ] as [(String, [ConfigPath.Step])])
    func reads(_ text: String, as steps: [ConfigPath.Step]) {
        #expect(ConfigPath(text)?.steps == steps)
    }

    @Test(arguments: ["", ".a", "a.", "a..b", "a\\", "a\\x", "a[", "a[x]", "a[-1]", "[0]", "a[0]b"])
    func refuses(_ text: String) {
        #expect(ConfigPath(text) == nil)
    }

    @Test func setsThroughMapsAndLists() throws {
        var root = ConfigValue.map([])
        for (path, value) in [("a.b", "1"), ("l[]", "x"), ("l[]", "y"), ("l[0]", "z"), ("m[].k", "v")] {
            #expect(root.set(.scalar(value), at: try #require(ConfigPath(path))))
        }
        #expect(root["a"]?["b"] == .scalar("1"))
        #expect(root["l"] == .list([.scalar("z"), .scalar("y")]))
        #expect(root["m"]?.elements?.first?["k"] == .scalar("v"))
        #expect(!root.set(.null, at: try #require(ConfigPath("l[7]"))))
    }
}

@Suite struct ConfigScalarTests {
    @Test(arguments: [("true", true), ("Yes", true), ("ON", true), ("n", false), ("False", false)])
    func booleans(_ text: String, _ value: Bool) { #expect(ConfigValue.scalar(text).bool == value) }

    @Test(arguments: ["tRue", "1", "", "yess"])
    func noBooleans(_ text: String) { #expect(ConfigValue.scalar(text).bool == nil) }

    @Test(arguments: [("12", 12), ("-3", -3), ("0x1F", 31), ("010", 8), ("0", 0)])
    func integers(_ text: String, _ value: Int64) { #expect(ConfigValue.scalar(text).integer == value) }

    @Test(arguments: ["", "1.5", "--1", "0x", "9999999999999999999", "08"])
    func noIntegers(_ text: String) { #expect(ConfigValue.scalar(text).integer == nil) }

    @Test func numbers() {
        #expect(ConfigValue.scalar(".03333").number == 0.03333)
        #expect(ConfigValue.scalar("-1").number == -1)
        #expect(ConfigValue.scalar("nan").number == nil)
    }
}

@Suite struct EnvironmentExpansionTests {
    static let values = ["A": "1", "B": "${A}${A}", "LOOP": "x${LOOP}", "EMPTY": ""]

    @Test(arguments: [
        ("${A}", "1"), ("x${A}y${A}", "x1y1"), ("${UNSET}", ""), ("$${A}", "${A}"), ("${B}", "11"), ("a$b${A}", "a$b${A}"),
        ("${A", "${A"), ("$", "$"), ("$${A}${A}", "${A}1"), ("${EMPTY}${A}", "1"),
    ])
    func expands(_ text: String, to expected: String) {
        #expect(EnvironmentExpansion { Self.values[$0] }.expand(text) == expected)
    }

    @Test func endsForAVariableThatHoldsItself() {
        #expect(EnvironmentExpansion { Self.values[$0] }.expand("${LOOP}").hasSuffix("${LOOP}"))
    }
}

// SPDX-License-Identifier: Apache-2.0
import EventModel
import RuleEngine
import Rules
import Testing

/// The event types of rules whose checks of the type stand in macros and lists, one in the other, negated and not.
@Suite struct MacroEventTests {
    private static let library = """
        - list: opening
          items: [open, openat]
        - list: more
          items: [opening, creat]
        - macro: opens
          condition: evt.type in (opening)
        - macro: opens_more
          condition: (evt.type in (more))
        - macro: other
          condition: not opens
        - macro: named
          condition: proc.name = cat
        - macro: named_open
          condition: named and opens
        - macro: named_or_open
          condition: named or opens
        - macro: never_true
          condition: (evt.num=0)
        - macro: always_true
          condition: (evt.num>=0)

        """

    private static func named(_ names: [String]) -> Set<UInt16> { Set(names.flatMap { EventTable.codes(named: $0)! }) }
    private static let all = Set(0..<UInt16(EventTable.count))

    @Test(
        arguments: [
            ("opens", named(["open", "openat"])), ("opens_more", named(["open", "openat", "creat"])),
            ("not other", named(["open", "openat"])), ("other", all.subtracting(named(["open", "openat"]))),
            ("not not other", all.subtracting(named(["open", "openat"]))), ("opens_more and other", named(["creat"])),
            ("named", all), ("not named", all), ("named_open", named(["open", "openat"])), ("not named_open", all),
            ("named_or_open", all), ("not named_or_open", all.subtracting(named(["open", "openat"]))),
            ("opens and not named_or_open", []), ("opens and not named_open", named(["open", "openat"])),
            ("opens or never_true", named(["open", "openat"])), ("opens and never_true", []), ("never_true", []),
            ("not never_true", all), ("opens and not never_true", named(["open", "openat"])),
            ("opens and always_true", named(["open", "openat"])),
            ("not always_true or opens", named(["open", "openat"])),
            ("not (other and not (named_open or never_true))", named(["open", "openat"])),
            ("not (other or named)", named(["open", "openat"])),
        ] as [(String, Set<UInt16>)])
    func eventTypes(_ condition: String, _ expected: Set<UInt16>) throws {
        let rule = "- rule: r\n  desc: d\n  condition: \(condition)\n  output: o\n  priority: INFO\n"
        let loader = RuleLoader()
        let results = loader.load(files: [("rules.yaml", Array((Self.library + rule).utf8))])
        #expect(results.flatMap(\.errors).isEmpty, "\(results.flatMap(\.errors).map(\.message))")
        let codes = Set(try #require(loader.ruleSet.rules.first).condition.eventCodes.codes)
        #expect(codes == expected.union(Self.named(["asyncevent"])))
    }
}

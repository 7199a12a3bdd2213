// SPDX-License-Identifier: Apache-2.0
import Fields
import FilterLanguage
import Testing

@testable import RuleEngine

/// Names of hosts in conditions: an address has any number of them, none too.
@Suite struct HostNameTests {
    @Test(
        arguments: [
            ("fd.sip.name = a.org", ["a.org", "b.org"], true), ("fd.sip.name = c.org", ["a.org", "b.org"], false),
            ("fd.sip.name != c.org", ["a.org", "b.org"], true), ("fd.sip.name != b.org", ["a.org", "b.org"], false),
            ("fd.sip.name in (x.org, b.org)", ["a.org", "b.org"], true), ("fd.sip.name exists", ["a.org"], true),
            ("fd.sip.name = a.org", [], false), ("fd.sip.name != a.org", [], true), ("fd.sip.name in (a.org)", [], false),
            ("fd.sip.name exists", [], false), ("fd.sip.name endswith .org", [], false),
        ] as [(String, [String], Bool)])
    func anyName(condition: String, names: [String], holds: Bool) throws {
        #expect(verdict(try compiledCheck(condition), .none, list: names.map { text($0) }) == holds)
    }

    @Test func namesThatRulesAskFor() throws {
        let condition = try compiled(
            "evt.type = connect and (fd.sip.name in (a.org, b.org) or not fd.rip.name != c.org) and fd.name = d.org"
                + " and fd.cip.name endswith e.org")
        var names: [String] = []
        condition.collectTexts(where: { $0.definition.isHostName }) { names.append($0) }
        #expect(names == ["a.org", "b.org", "c.org"])
    }
}

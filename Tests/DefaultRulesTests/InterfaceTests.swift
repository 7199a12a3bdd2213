// SPDX-License-Identifier: Apache-2.0
import Foundation
import Rules
import Testing

/// What rule files and log parsers of users know by name.
@Suite struct InterfaceTests {
    /// `key=%field` of an output, in order.
    static func pairs(_ output: String) -> [String] {
        output.matches(of: /(\S+)=(%[a-z0-9_.\[\]A-Z]+)/).map { "\($0.1)=\($0.2)" }
    }

    @Test func everyNameExists() {
        let set = DefaultRuleSet.unchanged.ruleSet
        #expect(Interface.rules.count == 25 && Interface.macros.count == 87 && Interface.lists.count == 49)
        #expect(
            set.rules.map(\.name) == Interface.rules.map(\.name), "rules, in order: the first that matches may be the only one")
        #expect(Set(Interface.macros).subtracting(set.macros.map(\.name)) == [])
        #expect(Set(Interface.lists).subtracting(set.lists.map(\.name)) == [])
    }

    @Test(arguments: Interface.rules) func priorityTagsAndKeys(_ row: Interface.RuleRow) throws {
        let rule = try #require(DefaultRuleSet.unchanged.ruleSet.rules.first { $0.name == row.name })
        #expect(rule.priority == row.priority)
        #expect(rule.tags == row.tags.split(separator: " ").map(String.init).sorted())
        #expect(Self.pairs(rule.outputText).map { String($0.prefix { $0 != "=" }) } == row.allKeys)
        #expect(rule.source == Rule.syscallSource && rule.isEnabled)
    }

    /// Two sentences at most before the keys, and no text of an attacker among them.
    @Test func outputsBeginWithASentence() {
        for rule in DefaultRuleSet.unchanged.ruleSet.rules {
            let parts = rule.outputText.components(separatedBy: " | ")
            #expect(parts.count == 2, "\(rule.name)")
            #expect(!parts[0].contains("%"), "\(rule.name)")
        }
    }

    /// Nothing that only this program has: files are shared with Falco.
    @Test func fieldsOfOursAreNotNeeded() {
        let text = String(decoding: DefaultRuleSet.text, as: UTF8.self)
        #expect(!text.contains("kernel."))
    }

    /// The names, priorities, tags and keys that Falco ships, where they are at hand.
    @Test func asFalcoHasThem() throws {
        guard let upstream = Self.upstream else {
            print("names of Falco's rules: compared with the table only, no conformance corpus beside the repository")
            return
        }
        let loader = RuleLoader()
        let results = loader.load(files: [("falco_rules.yaml", upstream)])
        try #require(results.allSatisfy { $0.successful })
        let theirs = loader.ruleSet
        #expect(Set(theirs.macros.map(\.name)) == Set(Interface.macros))
        #expect(Set(theirs.lists.map(\.name)) == Set(Interface.lists))
        #expect(theirs.rules.map(\.name) == Interface.rules.map(\.name))
        for (their, our) in zip(theirs.rules, DefaultRuleSet.unchanged.ruleSet.rules) {
            #expect(their.name == our.name && their.priority == our.priority && their.tags == our.tags)
            #expect(Self.pairs(their.outputText) == Self.pairs(our.outputText), "\(our.name)")
        }
    }

    static let upstream: [UInt8]? = {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while folder.path != "/" {
            let file = folder.appending(path: "shared/conformance/upstream/rules/falco_rules.yaml")
            if let data = try? Data(contentsOf: file) { return Array(data) }
            folder.deleteLastPathComponent()
        }
        return nil
    }()
}

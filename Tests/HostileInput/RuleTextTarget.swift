// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import FilterLanguage
import RuleEngine
import Rules

/// Conditions and rules files: the user's own text, but anybody may have damaged it.
enum RuleTextTarget {
    static func condition(_ input: Bytes) {
        let text = input.array
        // A line feed would end the rule.
        guard !text.contains(10), text.count < 4096 else { return }
        let loader = RuleLoader()
        let result = loader.load(files: [
            ("c.yaml", Array("- rule: r\n  desc: d\n  output: x\n  priority: INFO\n  condition: ".utf8) + text + [10])
        ])[0]
        for error in result.errors { precondition(!error.message.isEmpty, "an error says something") }
        if result.errors.isEmpty { _ = RuleProgram(rules: loader.ruleSet.rules.map(\.condition)) }
    }

    static func rules(_ input: Bytes) {
        guard input.count > 1 else { return }
        let loader = RuleLoader()
        let result = loader.load(files: [(input[0] & 1 == 0 ? "f.yaml" : "f.conf", input.from(1).array)])[0]
        for error in result.errors { precondition(!error.message.isEmpty, "an error says something") }
        if result.errors.isEmpty { _ = RuleProgram(rules: loader.ruleSet.rules.map(\.condition)) }
    }
}

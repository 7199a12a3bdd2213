// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import Rules

extension StartUp {
    /// `falco record` loads no rules. What it watches is asked for as a rule would ask for it: everything, or what the filter holds for.
    static func recordingFilter(_ session: Session) throws -> Int32? {
        guard session.arguments.recordsOnly else { return nil }
        session.settings.baseSyscalls.all = true
        let filter = session.arguments.recording.filter
        let loader = RuleLoader()
        let text = JSONNode.string(filter ?? "evt.num >= 0").text
        let rules = "- {rule: recorded events, desc: d, output: '%evt.num', priority: DEBUG, condition: \(text)}\n"
        let result = loader.load(files: [(name: "--filter", content: Array(rules.utf8))])[0]
        guard result.successful else {
            let reason = result.errors.first?.message ?? "it is no condition"
            throw AgentError("--filter '\(filter ?? "")': \(reason)")
        }
        session.ruleSet = loader.ruleSet
        return nil
    }
}

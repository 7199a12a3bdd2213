// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import RuleLint
import Rules

/// Lints one text, or several files.
struct Linting {
    let findings: [LintFinding]
    let loaded: Bool

    init(
        _ files: [(name: String, text: String)], priority: Priority = .debug, _ change: (inout Linter.Settings) -> Void = { _ in }
    ) {
        var settings = RuleLoader.Settings()
        settings.keepsAnatomy = true
        settings.minimumPriority = priority
        var lint = Linter.Settings()
        lint.suppliesContainerMetadata = true
        change(&lint)
        settings.deliversIgnoredSyscalls = lint.deliversIgnoredSyscalls
        let loader = RuleLoader(settings: settings)
        let results = loader.load(files: files.map { ($0.name, Array($0.text.utf8)) }, keepsGoing: true)
        loaded = results.allSatisfy(\.successful)
        findings = Linter(loader, settings: lint).run()
    }
    init(_ text: String, priority: Priority = .debug, _ change: (inout Linter.Settings) -> Void = { _ in }) {
        self.init([("rules.yaml", text)], priority: priority, change)
    }

    /// A rule `R` with this condition, and what a rule needs not to be found fault with.
    static func rule(_ condition: String, name: String = "R", output: String = "x %proc.name", more: String = "") -> String {
        "- rule: \(name)\n  desc: d\n  condition: \(condition)\n  output: \(output)\n  priority: INFO\n" + more
    }

    var names: Set<LintName> { Set(findings.map(\.name)) }
    func first(_ name: LintName) -> LintFinding? { findings.first { $0.name == name } }
}

// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Rules

/// Loads one text and keeps the loader.
struct Loading {
    let loader: RuleLoader
    let result: FileLoadResult

    init(_ text: String, name: String = "rules.yaml", _ change: (inout RuleLoader.Settings) -> Void = { _ in }) {
        var settings = RuleLoader.Settings()
        change(&settings)
        loader = RuleLoader(settings: settings)
        result = loader.load(files: [(name, Array(text.utf8))])[0]
    }

    var rules: [Rule] { loader.ruleSet.rules }
    var firstError: Diagnostic? { result.errors.first }
    var codes: Set<LoadCode> { Set(result.warnings.map(\.code)) }

    /// The rule `R` with this condition.
    static func rule(_ condition: String, output: String = "x", more: String = "") -> String {
        "- rule: R\n  desc: d\n  condition: \(condition)\n  output: \(output)\n  priority: INFO\n\(more)"
    }
}

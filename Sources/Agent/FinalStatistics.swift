// SPDX-License-Identifier: Apache-2.0

/// Alerts counted by rule and by priority: what Falco prints when it ends.
struct FinalStatistics: Sendable {
    struct RuleCount: Sendable {
        let name: String
        let priority: String
        var count: UInt64
    }
    private static let priorities = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"]

    var alerts: UInt64 = 0
    /// In load order.
    var rules: [RuleCount] = []

    var text: String {
        var lines = ["Events detected: \(alerts)", "Rule counts by severity:"]
        for priority in Self.priorities {
            let count = rules.reduce(0) { $0 + ($1.priority == priority ? $1.count : 0) }
            if count > 0 { lines.append("   \(priority == "Informational" ? "INFO" : priority.uppercased()): \(count)") }
        }
        lines.append("Triggered rules by rule name:")
        for rule in rules where rule.count > 0 { lines.append("   \(rule.name): \(rule.count)") }
        return lines.joined(separator: "\n") + "\n"
    }
}

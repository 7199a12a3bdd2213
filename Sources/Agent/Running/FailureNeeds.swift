// SPDX-License-Identifier: Apache-2.0
import FilterLanguage
import Rules

/// Rules that `drop_failed_exit` silences: those that no successful call can match. Control plane, once per load.
enum FailureNeeds {
    /// Names of the enabled rules whose condition holds for failed system calls alone. A rule that is not found here may still
    /// lose some of its matches.
    static func rules(of ruleSet: RuleSet) -> [String] {
        ruleSet.rules.filter { $0.isEnabled && impliesFailure($0.expandedCondition) }.map(\.name)
    }

    private static func impliesFailure(_ condition: Condition) -> Bool {
        switch condition {
        case .and(let parts, _): parts.contains(where: impliesFailure)
        case .or(let parts, _): !parts.isEmpty && parts.allSatisfy(impliesFailure)
        case .not(.check(let check), _): isSuccess(check)
        case .not, .macro: false
        case .check(let check): impliesFailure(check)
        }
    }

    /// `connect` in progress passes the option.
    private static let inProgress: Int64 = -115

    private static func impliesFailure(_ check: Check) -> Bool {
        guard case .field(let field) = check.left, check.modifier == nil else { return false }
        if field.name == "evt.res", check.comparison == .in, case .list(let items) = check.right {
            return !items.isEmpty && items.allSatisfy { isErrorName($0.text) }
        }
        guard case .value(let value, _) = check.right else { return false }
        return switch (field.name, check.comparison) {
        case ("evt.res", .equal): isErrorName(value)
        case ("evt.res", .notEqual): value == "SUCCESS"
        case ("evt.failed", .equal): value == "true"
        case ("evt.failed", .notEqual): value == "false"
        case ("evt.rawres", .equal), ("evt.rawarg.res", .equal): Int64(value).map { $0 < 0 && $0 != inProgress } ?? false
        case ("evt.rawres", .less), ("evt.rawarg.res", .less): (Int64(value) ?? 1) <= 0
        case ("evt.rawres", .lessOrEqual), ("evt.rawarg.res", .lessOrEqual): (Int64(value) ?? 1) < 0
        default: false
        }
    }

    private static func isSuccess(_ check: Check) -> Bool {
        guard case .field(let field) = check.left, case .value(let value, _) = check.right else { return false }
        return switch (field.name, check.comparison) {
        case ("evt.res", .equal): value == "SUCCESS"
        case ("evt.failed", .equal): value == "false"
        case ("evt.rawres", .greaterOrEqual), ("evt.rawarg.res", .greaterOrEqual): Int64(value) == 0
        default: false
        }
    }

    private static func isErrorName(_ text: String) -> Bool { text.hasPrefix("E") && text != "EINPROGRESS" }
}

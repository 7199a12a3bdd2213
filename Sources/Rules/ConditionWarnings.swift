// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// What a condition that compiles may still get wrong.
public enum ConditionWarnings {
    /// Fields of audit events, for which `<NA>` once was a value.
    private static func isUnsafe(_ field: FieldName) -> Bool { field.name.hasPrefix("ka.") || field.name.hasPrefix("jevt.") }

    /// The first comparison of an audit event's field with `<NA>`.
    static func unsafeComparison(in condition: Condition) -> SourceRange? {
        var found: SourceRange?
        condition.forEachCheck { check, _ in
            guard found == nil, [.equal, .notEqual, .in, .intersects, .pmatch].contains(check.comparison) else { return }
            var isUnsafe = false
            check.left.forEachField { if Self.isUnsafe($0) { isUnsafe = true } }
            if isUnsafe, check.rightTexts.contains(where: { $0.text == "<NA>" }) { found = check.range }
        }
        return found
    }

    /// Each deprecated field once, with its first place.
    static func deprecatedFields(in condition: Condition) -> [(name: String, range: SourceRange)] {
        var found: [(name: String, range: SourceRange)] = []
        condition.forEachCheck { check, _ in
            check.forEachField { field in
                guard RuleCompiler.deprecatedFields.contains(field.name), !found.contains(where: { $0.name == field.name }) else {
                    return
                }
                found.append((field.name, field.range))
            }
        }
        return found
    }

    /// Event types that the condition asks for by name, each once: `evt.type = x`, but not `evt.type != x`.
    static func namedEvents(in condition: Condition) -> [(name: String, range: SourceRange)] {
        var found: [(name: String, range: SourceRange)] = []
        var names: Set<String> = []
        condition.forEachCheck { check, isNegated in
            let asks = check.comparison == .notEqual ? isNegated : !isNegated
            guard check.isEventTypeCheck, asks, [.equal, .notEqual, .in, .intersects].contains(check.comparison) else { return }
            for (text, range) in check.rightTexts where names.insert(text).inserted { found.append((text, range)) }
        }
        return found
    }

    /// Whether today's Falco warns of this condition.
    public static func warns(of condition: Condition) -> Bool {
        unsafeComparison(in: condition) != nil || !deprecatedFields(in: condition).isEmpty
    }
}

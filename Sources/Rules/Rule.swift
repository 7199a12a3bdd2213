// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage
import RuleEngine

/// A rule ready to run: all that the pipeline and the outputs need of it.
public struct Rule: Sendable {
    public static let syscallSource = "syscall"

    public let name: String
    public let description: String
    public let source: String
    public let priority: Priority
    /// Sorted.
    public let tags: [String]
    /// As written, before additions of `append_output`.
    public let outputText: String
    /// As it is rendered: with additions, without a leading `*`.
    public let output: String
    /// Fields that only the JSON output carries, from `append_output`.
    public let extraFields: [ExtraField]
    /// As written (appended parts included), without exceptions.
    public let conditionText: String
    /// The tree with exceptions, lists and macros put in.
    public let expandedCondition: Condition
    public let condition: CompiledCondition
    /// Selections may change it; false from the start when `isBelowMinimumPriority`.
    public internal(set) var isEnabled: Bool
    public let isBelowMinimumPriority: Bool
    public let captures: Bool
    public let captureDurationMs: UInt64
    public let warnsOfEventTypes: Bool
    public let origin: Origin
    let details: Details

    public struct Origin: Sendable, Equatable {
        public let file: String
        /// From 1.
        public let line: Int
        /// From the one-line format.
        public let isFounding: Bool
    }

    /// What `-L` tells besides.
    struct Details: Sendable {
        var macros: Set<String>
        var lists: Set<String>
        var exceptionNames: [String]
        var exceptionFields: Set<String>
        var exceptionOperators: Set<String>
    }
}

/// `extra_fields` of `append_output`: raw (`name` nil: the field itself, typed) or a named format.
public struct ExtraField: Sendable, Equatable {
    public let name: String?
    public let format: String
    public init(name: String?, format: String) { (self.name, self.format) = (name, format) }
    /// Key in `output_fields`.
    public var key: String { name ?? (format.hasPrefix("%") ? String(format.dropFirst()) : format) }
}

/// One entry of `append_output`: what rules that match get besides.
public struct AppendOutput: Sendable, Equatable {
    public var source: String?
    public var rule: String?
    public var tags: Set<String>
    public var extraOutput: String?
    public var extraFields: [ExtraField]
    public var suggestedOutput: Bool

    public init(
        source: String? = nil, rule: String? = nil, tags: Set<String> = [], extraOutput: String? = nil,
        extraFields: [ExtraField] = [], suggestedOutput: Bool = false
    ) {
        (self.source, self.rule, self.tags) = (source, rule, tags)
        (self.extraOutput, self.extraFields, self.suggestedOutput) = (extraOutput, extraFields, suggestedOutput)
    }

    func matches(name: String, source: String, tags: Set<String>) -> Bool {
        (self.source.map { $0 == source } ?? true) && (rule.map { $0 == name } ?? true) && self.tags.isSubset(of: tags)
    }
}

/// One entry of `rules:` in the settings.
public struct RuleSelection: Sendable, Equatable {
    public enum Match: Sendable, Equatable {
        /// Name with `*`, see `WildcardMatcher`.
        case wildcard(String)
        case substring(String)
        case exact(String)
        /// Rules with one of these tags.
        case tags(Set<String>)
    }
    public var enables: Bool
    public var match: Match
    public init(enables: Bool, match: Match) { (self.enables, self.match) = (enables, match) }
}

/// All rules of all sources with what `-L` needs of macros and lists. Immutable but for selections.
public struct RuleSet: Sendable {
    public internal(set) var rules: [Rule] = []
    public internal(set) var macros: [MacroSummary] = []
    public internal(set) var lists: [ListSummary] = []
    public internal(set) var requiredEngineVersion: Version?
    public internal(set) var requiredPlugins: [[PluginRequirement]] = []
    /// System calls that rules name and that are not delivered by default, as the rules spell them.
    public internal(set) var ignoredSyscallsNamed: Set<String> = []

    public init() {}

    /// Names of the lists in the rules' own texts.
    public var listsNamedByRules: Set<String> { rules.reduce(into: []) { $0.formUnion($1.details.lists) } }
    public func rules(ofSource source: String) -> [Rule] { rules.filter { $0.source == source } }
    public var enabledCount: Int { rules.count { $0.isEnabled } }

    public mutating func apply(_ selections: [RuleSelection]) {
        for selection in selections {
            for index in rules.indices where rules[index].matches(selection.match) {
                rules[index].isEnabled = selection.enables && !rules[index].isBelowMinimumPriority
            }
        }
    }

    /// All rules off, as a rule set starts that is not the default one.
    public mutating func disableAll() { for index in rules.indices { rules[index].isEnabled = false } }
}

extension Rule {
    func matches(_ match: RuleSelection.Match) -> Bool {
        switch match {
        case .wildcard(let pattern): WildcardMatcher.matches(pattern, name)
        case .substring(let part): part.isEmpty || name.utf8.count >= part.utf8.count && name.contains(part)
        case .exact(let text): name == text
        case .tags(let wanted): tags.contains(where: wanted.contains)
        }
    }
}

public struct MacroSummary: Sendable {
    public let name: String
    public let conditionText: String
    /// With lists and other macros put in; nil when it names a macro that is not defined.
    public let expandedCondition: Condition?
    public let isUsed: Bool
    let macros: Set<String>
    let lists: Set<String>
}

public struct ListSummary: Sendable {
    public let name: String
    public let items: [String]
    /// With the items of other lists put in.
    public let expandedItems: [String]
    public let isUsed: Bool
    let lists: Set<String>
}

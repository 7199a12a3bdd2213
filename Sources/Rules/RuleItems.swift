// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// In which grammar a condition is written.
enum ConditionDialect: Sendable { case today, founding }

/// An item that later items can replace or add to. It keeps the position of its first definition.
protocol NamedItem {
    var name: String { get }
    /// Position of the first definition among all items.
    var index: Int { get set }
    /// Position of the last change.
    var visibility: Int { get set }
}

struct ListItemInfo: NamedItem, Sendable {
    var name: String
    var items: [TracedText]
    var context: ItemContext
    var index = 0
    var visibility = 0
}

struct MacroInfo: NamedItem, Sendable {
    var name: String
    var condition: TracedText
    var context: ItemContext
    var conditionContext: ItemContext
    var dialect = ConditionDialect.today
    var index = 0
    var visibility = 0
}

struct RuleInfo: NamedItem, Sendable {
    var name: String
    var condition: TracedText
    var output: TracedText
    var description: String
    var priority: Priority
    var context: ItemContext
    var conditionContext: ItemContext
    var outputContext: ItemContext
    var source = Rule.syscallSource
    var isSourceKnown = true
    var tags: Set<String> = []
    var isEnabled = true
    var warnsOfEventTypes = true
    var skipsUnknownFilter = false
    var captures = false
    var captureDurationMs: UInt64 = 0
    var exceptions: [ExceptionInfo] = []
    var dialect = ConditionDialect.today
    var index = 0
    var visibility = 0
}

/// What a rule item with `append` or `override` changes; nil is untouched.
struct RuleChange: Sendable {
    var name: String
    var context: ItemContext
    var condition: TracedText?
    var conditionContext: ItemContext?
    var output: TracedText?
    var outputContext: ItemContext?
    var description: String?
    var tags: Set<String>?
    var exceptions: [ExceptionInfo]?
    var priority: Priority?
    var isEnabled: Bool?
    var warnsOfEventTypes: Bool?
    var skipsUnknownFilter: Bool?
    var captures: Bool?
    var captureDurationMs: UInt64?

    init(name: String, context: ItemContext) { (self.name, self.context) = (name, context) }
}

struct ExceptionInfo: Sendable {
    var name: String
    var context: ItemContext
    var fields: ExceptionEntry?
    var comparisons: ExceptionEntry?
    var values: [ExceptionEntry] = []
}

indirect enum ExceptionEntry: Sendable {
    case scalar(TracedText)
    case list([ExceptionEntry])

    /// The texts of a list of scalars, or of a single scalar.
    var scalars: [TracedText] {
        switch self {
        case .scalar(let text): [text]
        case .list(let entries): entries.flatMap(\.scalars)
        }
    }
    var isList: Bool { if case .list = self { true } else { false } }
}

/// One alternative of a plugin requirement.
public struct PluginRequirement: Sendable, Equatable {
    public var name: String
    public var version: String
    public init(name: String, version: String) { (self.name, self.version) = (name, version) }
}

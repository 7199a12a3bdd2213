// SPDX-License-Identifier: Apache-2.0
import Fields
import FilterLanguage

/// What is said of a rule in each of its alerts. One per rule, shared by all of them.
public final class AlertRule: Sendable {
    public let name: String
    public let source: String
    public let priority: Priority
    /// Sorted, each once.
    public let tags: [String]

    public init(name: String, source: String, priority: Priority, tags: some Sequence<String>) {
        self.name = name
        self.source = source
        self.priority = priority
        self.tags = Set(tags).sorted()
    }
}

/// One entry of `output_fields`.
public struct AlertField: Sendable, Equatable {
    public var key: String
    public var value: JSONValue
    public init(_ key: String, _ value: JSONValue) { (self.key, self.value) = (key, value) }
}

/// Something to tell, with everything needed to write it down: it owns its bytes, the event behind it may go away.
public struct Alert: Sendable {
    public let rule: AlertRule
    /// Nanoseconds of the epoch.
    public let timestampNs: UInt64
    /// The rule's output with its fields filled in, without time and priority. Bytes as the event had them, UTF-8 or not.
    public let message: [UInt8]
    /// Sorted by key, each key once. Empty when nothing that is written asks for fields.
    public let fields: [AlertField]
    /// Told by the program about itself: other shapes of line, see `AlertFormatter`.
    public let isInternal: Bool

    init(rule: AlertRule, timestampNs: UInt64, message: [UInt8], sortedFields: [AlertField], isInternal: Bool = false) {
        self.rule = rule
        self.timestampNs = timestampNs
        self.message = message
        fields = sortedFields
        self.isInternal = isInternal
    }

    /// An alert of the program about itself (source `internal`): lost events, metrics, failed reloads.
    public static func ofOurselves(
        rule: String, priority: Priority, timestampNs: UInt64, message: String, fields: [AlertField] = []
    ) -> Alert {
        Alert(
            rule: AlertRule(name: rule, source: "internal", priority: priority, tags: []), timestampNs: timestampNs,
            message: Array(message.utf8), sortedFields: sorted(fields), isInternal: true)
    }

    /// By key in byte order; of equal keys the last one stays.
    static func sorted(_ fields: [AlertField]) -> [AlertField] {
        var byKey: [String: JSONValue] = [:]
        for field in fields { byKey[field.key] = field.value }
        return byKey.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { AlertField($0, byKey[$0]!) }
    }
}

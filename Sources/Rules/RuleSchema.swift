// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// The keys of a rules file: the reader, the check against the schema and `--rule-schema` read the same rows.
enum RuleSchema {
    indirect enum Shape: Sendable {
        case anything, string, integer, boolean
        case oneOf([String])
        case array(Shape)
        /// Other keys are not allowed.
        case object([Member], required: [String] = [])
        case either([Shape])
    }

    struct Member: Sendable {
        let name: String
        let shape: Shape
        let summary: String
        init(_ name: String, _ shape: Shape, _ summary: String) { (self.name, self.shape, self.summary) = (name, shape, summary) }
    }

    /// A key of an item.
    struct Key: Sendable {
        enum Override: Sendable { case none, replace, appendOrReplace }
        let member: Member
        /// Kinds of items that have it.
        let items: Set<ItemKind>
        let override: Override
        var name: String { member.name }

        init(_ name: String, _ shape: Shape, _ items: Set<ItemKind>, _ summary: String) {
            self.init(name, shape, items, .none, summary)
        }
        init(_ name: String, _ shape: Shape, _ items: Set<ItemKind>, _ override: Override, _ summary: String) {
            (member, self.items, self.override) = (Member(name, shape, summary), items, override)
        }
    }

    static let keys: [Key] = [
        .init(
            "required_engine_version", .either([.integer, .string]), [.requiredEngineVersion],
            "Lowest version of the rules engine that the file needs: x.y.z, or the number y alone."),
        .init(
            "required_plugin_versions", .array(.object(pluginVersion + [alternatives], required: ["name", "version"])),
            [.requiredPluginVersions], "Plugins that the file needs; of each entry and its alternatives one has to be loaded."),
        .init("list", .string, [.list], "Name of a list."),
        .init("macro", .string, [.macro], "Name of a macro."),
        .init("rule", .string, [.rule], "Name of a rule."),
        .init(
            "items", .array(.either([.integer, .string])), [.list], .appendOrReplace,
            "What stands for the list's name in conditions; may name other lists."),
        .init("condition", .string, [.macro, .rule], .appendOrReplace, "Which events: checks, macros, and, or, not."),
        .init("desc", .string, [.rule], .appendOrReplace, "What the rule finds, for people."),
        .init("output", .string, [.rule], .appendOrReplace, "Text of an alert, with %fields."),
        .init("priority", .oneOf(priorities), [.rule], .replace, "How urgent an alert is."),
        .init("source", .string, [.rule], "Event source; syscall when there is none."),
        .init("enabled", .boolean, [.rule], .replace, "Whether the rule is evaluated; true when there is none."),
        .init("tags", .array(.string), [.rule], .appendOrReplace, "Words by which rules are selected."),
        .init("exceptions", .array(exception), [.rule], .appendOrReplace, "Combinations of values that raise no alert."),
        .init("warn_evttypes", .boolean, [.rule], .replace, "Warn when the condition does not say which events it is about."),
        .init(
            "skip-if-unknown-filter", .boolean, [.rule], .replace,
            "Leave the rule out when it names unknown fields or event types, instead of failing."),
        .init("capture", .boolean, [.rule], .replace, "Record events when the rule matches."),
        .init("capture_duration", .integer, [.rule], .replace, "How long to record, in milliseconds."),
        .init("append", .boolean, [.list, .macro, .rule], "Deprecated: add to the item of this name. Use override."),
        .init(
            "override", .object(overrides), [.list, .macro, .rule],
            "What to do with each key of an item that exists: append or replace."),
    ]

    private static let priorities = [
        "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG",
    ]
    private static let pluginVersion = [
        Member("name", .string, "Name of the plugin."), Member("version", .string, "Lowest version: x.y.z."),
    ]
    private static let alternatives = Member(
        "alternatives", .array(.object(pluginVersion, required: ["name", "version"])), "Plugins that do as well.")
    private static let exception = Shape.object(
        [
            Member("name", .string, "Name, by which values are appended."),
            Member("fields", .anything, "A field, or a list of fields."),
            Member("comps", .anything, "The operator of the field, or a list of one for each."),
            Member("values", .anything, "Values of the field, or lists with a value for each field."),
        ], required: ["name"])
    /// Written out, as the table of keys holds this very shape.
    private static let overrides = [
        "capture", "capture_duration", "condition", "desc", "enabled", "exceptions", "items", "output", "priority",
        "skip-if-unknown-filter", "tags", "warn_evttypes",
    ].map { Member($0, .oneOf(["append", "replace"]), "What to do with the key.") }

    static let item = Shape.object(keys.map(\.member))

    // MARK: for the reader

    static func keys(of kind: ItemKind) -> Set<String> { Set(keys.lazy.filter { $0.items.contains(kind) }.map(\.name)) }
    static func replaceable(of kind: ItemKind) -> Set<String> {
        Set(keys.lazy.filter { $0.items.contains(kind) && $0.override != .none }.map(\.name))
    }
    static func appendable(of kind: ItemKind) -> Set<String> {
        Set(keys.lazy.filter { $0.items.contains(kind) && $0.override == .appendOrReplace }.map(\.name))
    }

    // MARK: as JSON

    static var json: JSONNode {
        .object([
            "$schema": "http://json-schema.org/draft-06/schema#", "title": "Falco rules", "type": "array",
            "items": ["$ref": "#/definitions/item"].node, "definitions": .object(["item": json(item)]),
        ])
    }

    private static func json(_ shape: Shape) -> JSONNode {
        switch shape {
        case .anything: return .object([:])
        case .string: return .object(["type": "string"])
        case .integer: return .object(["type": "integer"])
        case .boolean: return .object(["type": "boolean"])
        case .oneOf(let words): return .object(["type": "string", "enum": .strings(words)])
        case .array(let element): return .object(["type": "array", "items": json(element)])
        case .either(let shapes): return .object(["anyOf": .array(shapes.map(json))])
        case .object(let members, let required):
            var properties: [String: JSONNode] = [:]
            for member in members {
                guard case .object(var node) = json(member.shape) else { continue }
                node["description"] = .string(member.summary)
                properties[member.name] = .object(node)
            }
            var node: [String: JSONNode] = ["type": "object", "additionalProperties": false, "properties": .object(properties)]
            if !required.isEmpty { node["required"] = .strings(required) }
            return .object(node)
        }
    }
}

extension [String: JSONNode] {
    fileprivate var node: JSONNode { .object(self) }
}

// MARK: check

extension RuleSchema {
    /// Reasons enough for anyone.
    private static let reasonsMax = 20

    /// With weak types: any scalar is a string, a word that reads as a number or truth value is one. The verdict is only reported;
    /// it stops nothing.
    static func verdict(_ documents: [YAMLNode]) -> FileLoadResult.SchemaVerdict {
        var reasons: [String] = []
        for document in documents where !document.isNull { check(document, .array(item), "<root>", &reasons) }
        return reasons.isEmpty ? .ok : .failed(reasons)
    }

    private static func check(_ node: YAMLNode, _ shape: Shape, _ path: String, _ reasons: inout [String]) {
        guard reasons.count < reasonsMax else { return }
        guard let reason = mismatch(node, shape) else {
            switch shape {
            case .array(let element):
                for (index, item) in (node.items ?? []).enumerated() { check(item, element, "\(path)[\(index)]", &reasons) }
            case .object(let members, let required):
                for (key, value) in node.pairs ?? [] {
                    let name = key.scalar ?? ""
                    if let member = members.first(where: { $0.name == name }) {
                        check(value, member.shape, "\(path)[\(name)]", &reasons)
                    } else {
                        reasons.append("\(path): the key '\(name)' is not allowed here")
                    }
                }
                for name in required where node[name] == nil { reasons.append("\(path): the key '\(name)' is missing") }
            default: break
            }
            return
        }
        reasons.append("\(path): \(reason)")
    }

    private static func mismatch(_ node: YAMLNode, _ shape: Shape) -> String? {
        switch shape {
        case .anything: return nil
        case .string: return node.isScalar && !node.isNull ? nil : "must be a string"
        case .integer:
            if case .scalar(let scalar) = node.content, Int64(scalar.text) != nil { return nil }
            return "must be an integer"
        case .boolean:
            if case .scalar(let scalar) = node.content, scalar.bool != nil { return nil }
            return "must be a boolean"
        case .oneOf(let words): return words.contains(node.scalar ?? "") ? nil : "must be one of \(words.joined(separator: ", "))"
        case .array: return node.isSequence || node.isNull ? nil : "must be an array"
        case .object: return node.isMapping ? nil : "must be an object"
        case .either(let shapes): return shapes.contains { mismatch(node, $0) == nil } ? nil : "has the wrong type"
        }
    }
}

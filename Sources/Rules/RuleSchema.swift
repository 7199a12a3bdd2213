// SPDX-License-Identifier: Apache-2.0

/// The JSON schema of a rules file, checked on the YAML tree with weak types: any scalar is a string, a word that reads as a
/// number or truth value is one. The verdict is only reported; it stops nothing.
enum RuleSchema {
    indirect enum Shape: Sendable {
        case anything, string, integer, boolean
        case oneOf([String])
        case array(Shape)
        /// Other keys are not allowed.
        case object([String: Shape], required: [String] = [])
        case either([Shape])
    }

    private static let overrideKeys = [
        "capture", "capture_duration", "condition", "desc", "enabled", "exceptions", "items", "output", "priority",
        "skip-if-unknown-filter", "tags", "warn_evttypes",
    ]
    private static let pluginVersion: [String: Shape] = ["name": .string, "version": .string]

    static let item = Shape.object([
        "append": .boolean, "capture": .boolean, "capture_duration": .integer, "condition": .string, "desc": .string,
        "enabled": .boolean, "output": .string, "source": .string, "list": .string, "macro": .string, "rule": .string,
        "required_engine_version": .string, "skip-if-unknown-filter": .boolean, "warn_evttypes": .boolean,
        "tags": .array(.string),
        "items": .array(.either([.integer, .string])),
        "exceptions": .array(
            .object(["name": .string, "fields": .anything, "comps": .anything, "values": .anything], required: ["name"])),
        "override": .object(Dictionary(uniqueKeysWithValues: overrideKeys.map { ($0, .oneOf(["append", "replace"])) })),
        "priority": .oneOf([
            "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "INFORMATIONAL", "DEBUG",
        ]),
        "required_plugin_versions": .array(
            .object(
                pluginVersion.merging(["alternatives": .array(.object(pluginVersion, required: ["name", "version"]))]) { $1 },
                required: ["name", "version"])),
    ])

    /// Reasons enough for anyone.
    private static let reasonsMax = 20

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
                    if let member = members[name] {
                        check(value, member, "\(path)[\(name)]", &reasons)
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

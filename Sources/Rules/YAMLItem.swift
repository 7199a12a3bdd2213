// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// Typed access to the keys of one YAML mapping, with Falco's sentences for what is missing or wrong.
struct YAMLItem {
    let node: YAMLNode
    let context: ItemContext

    func has(_ key: String) -> Bool { node[key] != nil }

    /// The non-empty scalar under `key`.
    func scalar(_ key: String) throws(Diagnostic) -> YAMLNode {
        guard let value = node[key] else { throw missing(key) }
        return try Self.scalar(value, key, context)
    }

    func optionalScalar(_ key: String) throws(Diagnostic) -> YAMLNode? {
        guard node[key] != nil else { return nil }
        return try scalar(key)
    }

    func text(_ key: String) throws(Diagnostic) -> String { try scalar(key).scalar! }
    func traced(_ key: String) throws(Diagnostic) -> TracedText { try scalar(key).traced }

    func bool(_ key: String) throws(Diagnostic) -> Bool? {
        guard let value = try optionalScalar(key) else { return nil }
        guard case .scalar(let scalar) = value.content, let bool = scalar.bool else {
            throw undecodable(key, value, hint: "write true or false")
        }
        return bool
    }

    func unsigned(_ key: String, max: UInt64) throws(Diagnostic) -> UInt64? {
        guard let value = try optionalScalar(key) else { return nil }
        guard case .scalar(let scalar) = value.content, let number = scalar.unsigned, number <= max else {
            throw undecodable(key, value, hint: "write a number from 0 to \(max)")
        }
        return number
    }

    /// The scalars of the sequence under `key`.
    func scalars(_ key: String) throws(Diagnostic) -> [YAMLNode] {
        guard let value = node[key] else { throw missing(key) }
        guard !value.isNull else { throw empty(key) }
        let valueContext = context.item(.valueFor, key, value)
        guard let items = value.items else { throw valueContext.diagnostic(.yamlValidate, "Value is not a sequence") }
        var scalars: [YAMLNode] = []
        scalars.reserveCapacity(items.count)
        for item in items {
            guard let text = item.scalar else {
                throw valueContext.item(.listItem, "", item).diagnostic(.yamlValidate, "Value is not a scalar value")
            }
            guard !text.isEmpty else {
                throw valueContext.item(.listItem, "", item).diagnostic(.yamlValidate, "Value must be non-empty")
            }
            scalars.append(item)
        }
        return scalars
    }

    func missing(_ key: String) -> Diagnostic {
        let keys = node.pairs?.compactMap(\.key.scalar) ?? []
        let hint = Suggestion.nearest(to: key, among: keys).map { "did you mean '\(key)' where it says '\($0)'?" }
        return context.diagnostic(.yamlValidate, "Item has no mapping for key '\(key)'", hint: hint)
    }

    private func empty(_ key: String) -> Diagnostic { context.diagnostic(.yamlValidate, "Mapping for key '\(key)' is empty") }

    private static func scalar(_ value: YAMLNode, _ key: String, _ context: ItemContext) throws(Diagnostic) -> YAMLNode {
        guard !value.isNull else { throw context.diagnostic(.yamlValidate, "Mapping for key '\(key)' is empty") }
        guard let text = value.scalar else {
            throw context.item(.valueFor, key, value).diagnostic(.yamlValidate, "Value is not a scalar value")
        }
        guard !text.isEmpty else {
            throw context.item(.valueFor, key, value).diagnostic(.yamlValidate, "Value must be non-empty")
        }
        return value
    }

    private func undecodable(_ key: String, _ value: YAMLNode, hint: String) -> Diagnostic {
        context.item(.valueFor, key, value).diagnostic(.yamlValidate, "Can't decode YAML scalar value", hint: hint)
    }
}

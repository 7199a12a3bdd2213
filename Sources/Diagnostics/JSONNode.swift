// SPDX-License-Identifier: Apache-2.0

/// A JSON value for reports; objects are written with sorted keys.
public indirect enum JSONNode: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral
{
    case null
    case bool(Bool)
    case int(Int64)
    case string(String)
    case array([JSONNode])
    case object([String: JSONNode])

    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }

    public static func strings(_ values: some Sequence<String>) -> JSONNode { .array(values.map { .string($0) }) }

    /// One line without blanks.
    public var text: String {
        var out = ""
        write(into: &out)
        return out
    }

    /// The object with one more member; as it is when there is no value for it.
    public func adding(_ key: String, _ value: JSONNode?) -> JSONNode {
        guard case .object(var members) = self, let value else { return self }
        members[key] = value
        return .object(members)
    }

    public subscript(key: String) -> JSONNode? {
        if case .object(let members) = self { members[key] } else { nil }
    }
    public subscript(index: Int) -> JSONNode? {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { nil }
    }

    private func write(into out: inout String) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .int(let value): out += String(value)
        case .string(let value): Self.quote(value, into: &out)
        case .array(let items):
            out += "["
            for (index, item) in items.enumerated() {
                if index > 0 { out += "," }
                item.write(into: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, key) in members.keys.sorted().enumerated() {
                if index > 0 { out += "," }
                Self.quote(key, into: &out)
                out += ":"
                members[key]!.write(into: &out)
            }
            out += "}"
        }
    }

    private static func quote(_ text: String, into out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{8}": out += "\\b"
            case "\u{c}": out += "\\f"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}

extension Diagnostic {
    /// Falco's JSON form of one error or warning.
    public var json: JSONNode {
        var members: [String: JSONNode] = [
            "code": .string(code.rawValue), "codedesc": .string(code.explanation), "message": .string(message),
            "context": .object([
                "locations": .array(context.map(\.json)), "snippet": .string(snippet),
            ]),
        ]
        if let field = deprecatedField { members["deprecated_field"] = .string(field) }
        return .object(members)
    }
}

extension ContextLocation {
    var json: JSONNode {
        .object([
            "item_type": .string(kind.rawValue), "item_name": .string(name),
            "position": .object([
                "name": .string(place), "line": .int(Int64(line)), "column": .int(Int64(column)), "offset": .int(Int64(offset)),
            ]),
        ])
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A node of a configuration file. Scalars keep their text: what type they have is decided by who reads them, so that
/// `"5000"` is as good a number as `5000` and an environment variable can supply either.
public indirect enum ConfigValue: Sendable, Equatable {
    case null
    case scalar(String)
    case list([ConfigValue])
    case map([Entry])

    /// Maps keep the order of the file.
    public struct Entry: Sendable, Equatable {
        public var key: String
        public var value: ConfigValue
        public init(_ key: String, _ value: ConfigValue) { (self.key, self.value) = (key, value) }
    }

    public subscript(key: String) -> ConfigValue? {
        get {
            guard case .map(let entries) = self else { return nil }
            return entries.last { $0.key == key }?.value
        }
        set {
            var entries: [Entry] = []
            if case .map(let existing) = self { entries = existing }
            if let index = entries.lastIndex(where: { $0.key == key }) {
                if let newValue { entries[index].value = newValue } else { entries.remove(at: index) }
            } else if let newValue {
                entries.append(Entry(key, newValue))
            }
            self = .map(entries)
        }
    }

    public var text: String? { if case .scalar(let text) = self { text } else { nil } }
    public var isNull: Bool { self == .null }
    public var entries: [Entry] { if case .map(let entries) = self { entries } else { [] } }
    public var elements: [ConfigValue]? { if case .list(let elements) = self { elements } else { nil } }

    /// yaml-cpp's booleans: y, yes, true, on and their opposites, in lower case, upper case or capitalised.
    public var bool: Bool? {
        guard let text, text == text.lowercased() || text == text.uppercased() || text == text.capitalisedASCII else {
            return nil
        }
        return switch text.lowercased() {
        case "y", "yes", "true", "on": true
        case "n", "no", "false", "off": false
        default: nil
        }
    }

    /// Decimal, `0x…` or `0…` (octal), with a sign.
    public var integer: Int64? {
        guard let text else { return nil }
        var digits = Substring(text)
        var negative = false
        if let sign = digits.first, sign == "-" || sign == "+" {
            negative = sign == "-"
            digits = digits.dropFirst()
        }
        var radix = 10
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            (radix, digits) = (16, digits.dropFirst(2))
        } else if digits.count > 1, digits.first == "0" {
            (radix, digits) = (8, digits.dropFirst())
        }
        guard let first = digits.first, first != "-", first != "+", let magnitude = Int64(digits, radix: radix) else {
            return nil
        }
        return negative ? -magnitude : magnitude
    }

    /// Also `.5`, as the shipped file writes the drop threshold.
    public var number: Double? {
        guard let text, !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }) else {
            return nil
        }
        return Double(text.hasPrefix(".") ? "0" + text : text.hasPrefix("-.") ? "-0" + text.dropFirst() : text)
    }

    /// The elements of a list, or one scalar as a list of one: both spellings are in use for `rules_files` and `config_files`.
    public var texts: [String]? {
        switch self {
        case .scalar(let text): [text]
        case .list(let elements): elements.compactMap(\.text)
        case .null, .map: nil
        }
    }
}

extension String {
    fileprivate var capitalisedASCII: String { prefix(1).uppercased() + dropFirst().lowercased() }
}

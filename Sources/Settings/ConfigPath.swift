// SPDX-License-Identifier: Apache-2.0

/// A place in a configuration: `syscall_event_drops.actions[1]`, `rules[].disable.tag`, `labels.a\.b`.
public struct ConfigPath: Sendable, Equatable {
    public enum Step: Sendable, Equatable {
        case key(String)
        case index(Int)
        /// `[]`: a new element behind the last.
        case append
    }
    public let steps: [Step]

    /// `nil` for an unknown or trailing `\`, an unclosed bracket, an empty name.
    public init?(_ text: String) {
        var steps: [Step] = []
        var name = ""
        var sawName = false
        var characters = Substring(text)
        func flush(_ name: inout String, _ saw: inout Bool) {
            if saw { steps.append(.key(name)) }
            (name, saw) = ("", false)
        }
        while let character = characters.popFirst() {
            switch character {
            case "\\":
                guard let next = characters.popFirst(), ".[]\\".contains(next) else { return nil }
                name.append(next)
                sawName = true
            case ".":
                guard sawName || !steps.isEmpty else { return nil }
                flush(&name, &sawName)
                guard let next = characters.first, next != ".", next != "[" else { return nil }
            case "[":
                guard sawName || !steps.isEmpty, let close = characters.firstIndex(of: "]") else { return nil }
                flush(&name, &sawName)
                let inside = characters[..<close]
                characters = characters[characters.index(after: close)...]
                if inside.isEmpty {
                    steps.append(.append)
                } else {
                    guard inside.allSatisfy({ $0.isASCII && $0.isNumber }), let index = Int(inside) else { return nil }
                    steps.append(.index(index))
                }
                if let next = characters.first, next != ".", next != "[" { return nil }
            default:
                name.append(character)
                sawName = true
            }
        }
        flush(&name, &sawName)
        guard !steps.isEmpty else { return nil }
        self.steps = steps
    }
}

extension ConfigValue {
    public func value(at path: ConfigPath) -> ConfigValue? {
        var current = self
        for step in path.steps {
            switch step {
            case .key(let key):
                guard let next = current[key] else { return nil }
                current = next
            case .index(let index):
                guard let elements = current.elements, index < elements.count else { return nil }
                current = elements[index]
            case .append: return nil
            }
        }
        return current
    }

    /// Sets a value, making the maps and lists on the way. False when an index lies beyond the end of its list.
    public mutating func set(_ value: ConfigValue, at path: ConfigPath) -> Bool { set(value, at: path.steps[...]) }

    private mutating func set(_ value: ConfigValue, at steps: ArraySlice<ConfigPath.Step>) -> Bool {
        guard let step = steps.first else {
            self = value
            return true
        }
        let rest = steps.dropFirst()
        switch step {
        case .key(let key):
            var child = self[key] ?? .null
            guard child.set(value, at: rest) else { return false }
            self[key] = child
        case .index, .append:
            // One scalar counts as a list of one (`rules_files: a.yaml`, then `-o rules_files[]=b.yaml`).
            var list: [ConfigValue] =
                switch self {
                case .list(let elements): elements
                case .scalar: [self]
                case .null, .map: []
                }
            let index = if case .index(let index) = step { index } else { list.count }
            guard index <= list.count else { return false }
            if index == list.count { list.append(.null) }
            guard list[index].set(value, at: rest) else { return false }
            self = .list(list)
        }
        return true
    }
}

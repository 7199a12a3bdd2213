// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage

extension FieldCatalogue {
    /// The field that a condition or an output names, with its argument understood. Messages are Falco's.
    public func resolve(_ name: FieldName) throws(FieldError) -> FieldReference {
        let text = name.argument.map { name.name + "[" + $0 + "]" } ?? name.name
        if let definition = definition(named: name.name) {
            return try reference(definition, text: text, argument: name.argument)
        }
        // `evt.arg.flags`: the longest field that takes its argument after a dot. Brackets do not go with it.
        guard name.argument == nil, let (definition, argument) = dotted(name.name) else {
            if name.name.hasPrefix("evt.around.") { throw FieldError("wrong syntax for evt.around") }
            throw Self.nonexistent(text)
        }
        return try dottedReference(definition, text: text, argument: argument)
    }

    private static func nonexistent(_ text: String) -> FieldError {
        FieldError("filter_check called with nonexistent field " + text)
    }

    private func dotted(_ name: String) -> (FieldDefinition, String)? {
        var end = name.endIndex
        while let dot = name[..<end].lastIndex(of: ".") {
            if let definition = definition(named: String(name[..<dot])), definition.flags.contains(.argumentAfterDot) {
                return (definition, String(name[name.index(after: dot)...]))
            }
            end = dot
        }
        return nil
    }

    // MARK: arguments in brackets

    private func reference(_ definition: FieldDefinition, text: String, argument: String?) throws(FieldError) -> FieldReference {
        let flags = definition.flags
        guard let argument else {
            // `evt.abspath` is listed with a required argument, yet means the event's only or first path without one.
            let isWhole = !flags.contains(.argumentRequired) || definition.id == EventField.id(of: .absolutePath)
            guard isWhole else { throw FieldError("filter syntax error: " + text) }
            return FieldReference(definition: definition, text: text, argument: nil, number: nil, key: nil)
        }
        if flags.contains(.argumentAfterDot) {
            // Only a parameter's place may stand in brackets.
            guard flags.contains(.argumentIndex) else { throw Self.nonexistent(text) }
            guard let number = Self.number(argument) else { throw FieldError(argument + " is not a valid number") }
            return FieldReference(definition: definition, text: text, argument: argument, number: number, key: nil)
        }
        if definition.id == EventField.id(of: .around) {
            guard let number = Self.number(argument) else { throw FieldError(argument + " is not a valid number") }
            return FieldReference(definition: definition, text: text, argument: argument, number: number, key: nil)
        }
        // With an argument a field means one value, not any of several.
        let single = definition.withFlags(flags.subtracting(.anyOf))
        if flags.contains(.argumentIndex), let number = Self.number(argument) {
            return FieldReference(definition: single, text: text, argument: argument, number: number, key: nil)
        }
        guard flags.contains(.argumentKey) else { throw Self.nonexistent(text) }
        return FieldReference(definition: single, text: text, argument: argument, number: nil, key: FieldKey(argument))
    }

    /// Not negative: neither a level nor a place is, and times are not before the epoch.
    private static func number(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
        return Int64(text)
    }

    // MARK: arguments after a dot

    private func dottedReference(_ definition: FieldDefinition, text: String, argument: String) throws(FieldError)
        -> FieldReference
    {
        let key = FieldKey(argument)
        switch definition.id {
        case EventField.id(of: .argument), EventField.id(of: .rawArgument):
            guard let (info, length) = Self.longestParameter(beginning: argument) else {
                throw FieldError("unknown event argument " + argument)
            }
            guard length == argument.utf8.count else { throw Self.nonexistent(text) }
            let number = WireNames.shared.numberOfName[info.name].map(Int64.init)
            let isRaw = definition.id == EventField.id(of: .rawArgument)
            let typed = isRaw ? definition.withType(info.type, info.format) : definition
            return FieldReference(definition: typed, text: text, argument: argument, number: number, key: key)
        case EventField.id(of: .typeIs):
            // A name, or the number of an event type.
            let code = Self.number(argument)
            guard code != nil || EventTable.codes(named: argument) != nil else { throw Self.nonexistent(text) }
            return FieldReference(definition: definition, text: text, argument: argument, number: code, key: key)
        case EventField.id(of: .absolutePath):
            guard argument == "src" || argument == "dst" else { throw Self.nonexistent(text) }
            return FieldReference(
                definition: definition, text: text, argument: argument, number: argument == "src" ? 1 : 2, key: key)
        default:
            guard argument.utf8.allSatisfy({ Self.isSubsystemByte($0) }) else { throw Self.nonexistent(text) }
            return FieldReference(definition: definition, text: text, argument: argument, number: nil, key: key)
        }
    }

    private static func isSubsystemByte(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
    }

    /// The parameter with the longest name that `text` begins with; of equal names the one of the lowest event code, whose type
    /// then stands for all.
    private static func longestParameter(beginning text: String) -> (ParameterInfo, Int)? {
        var best: (ParameterInfo, Int)?
        for event in EventTable.events {
            for parameter in event.parameters {
                let length = parameter.name.utf8.count
                if length > best?.1 ?? 0, text.hasPrefix(parameter.name) { best = (parameter, length) }
            }
        }
        return best
    }
}

extension FieldDefinition {
    func withFlags(_ flags: FieldFlags) -> FieldDefinition {
        FieldDefinition(id: id, name: name, type: type, flags: flags, format: format, summary: summary)
    }
    func withType(_ type: ParameterType, _ format: PrintFormat) -> FieldDefinition {
        FieldDefinition(id: id, name: name, type: type, flags: flags, format: format, summary: summary)
    }
}

extension FieldReference {
    /// The same field for an output or a transformer: where a check asks any of several values, these write them in one line.
    public var asSingleValue: FieldReference {
        if definition.id == EventField.id(of: .rawArgument) {
            // A number that the probe could not read exists in no check, but is shown as 0.
            return FieldReference(
                definition: definition.withFlags(definition.flags.union(.printOnly)), text: text, argument: argument,
                number: number,
                key: key)
        }
        guard definition.flags.contains(.anyOf) else { return self }
        return FieldReference(
            definition: definition.withFlags(definition.flags.subtracting(.anyOf)), text: text, argument: argument,
            number: number, key: key)
    }
}

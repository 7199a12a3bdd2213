// SPDX-License-Identifier: Apache-2.0
import EventModel
import FilterLanguage

/// A field that is not there, or whose argument is wrong. The message is Falco's.
public struct FieldError: Error, Equatable, Sendable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

/// All fields that conditions and outputs may name.
public final class FieldCatalogue: Sendable {
    public let classes: [FieldClass]
    private let byName: [String: FieldDefinition]

    public init(classes: [FieldClass]) {
        self.classes = classes
        var table: [String: FieldDefinition] = [:]
        for heading in classes {
            // A name that two classes share belongs to the first.
            for definition in heading.definitions where table[definition.name] == nil { table[definition.name] = definition }
        }
        byName = table
    }

    /// The fields of this program, in the order of `--list`. A new family is added here and in `FieldExtractor`.
    public static let builtin = FieldCatalogue(
        classes: EventField.fieldClasses() + ProcessField.fieldClasses() + UserField.fieldClasses() + GroupField.fieldClasses()
            + DescriptorField.fieldClasses() + PathField.fieldClasses() + DescriptorListField.fieldClasses()
            + [FieldClass(ContainerField.fieldClasses() + KubernetesField.fieldClasses())] + KernelField.fieldClasses())

    /// A field by its name without argument.
    public func definition(named name: String) -> FieldDefinition? { byName[name] }
}

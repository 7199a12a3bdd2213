// SPDX-License-Identifier: Apache-2.0
import EventModel

/// One row of a family's table: the field, as users write it, and what it says.
public struct FieldRow<Family: FieldFamily>: Sendable {
    public let field: Family
    public let name: String
    public let type: ParameterType
    public let format: PrintFormat
    public let flags: FieldFlags
    public let summary: String

    public init(
        _ field: Family, _ name: String, _ type: ParameterType, _ format: PrintFormat, _ flags: FieldFlags, _ summary: String
    ) {
        self.field = field
        self.name = name
        self.type = type
        self.format = format
        self.flags = flags
        self.summary = summary
    }
    public init(_ field: Family, _ name: String, _ type: ParameterType, _ format: PrintFormat, _ summary: String) {
        self.init(field, name, type, format, [], summary)
    }
    public init(_ field: Family, _ name: String, _ type: ParameterType, _ summary: String) {
        self.init(field, name, type, .na, [], summary)
    }
}

/// Fields that are extracted by one exhaustive `switch`. The enum's cases number from 0, the table lists each case once.
public protocol FieldFamily: RawRepresentable, CaseIterable, Sendable where RawValue == UInt16 {
    /// High half of the field ids; unique, see `FieldFamilies`.
    static var number: UInt16 { get }
    static var classes: [FieldClassRows<Self>] { get }
    /// Whether a plugin brings these fields to Falco: listings then say what kind of argument a field takes, and show deprecated
    /// ones too.
    static var isFromPlugin: Bool { get }
}

extension FieldFamily {
    public static var isFromPlugin: Bool { false }
}

/// Rows under one heading of `--list`.
public struct FieldClassRows<Family: FieldFamily>: Sendable {
    public let name: String
    public let shortDescription: String
    public let description: String
    public let rows: [FieldRow<Family>]
    public init(_ name: String, short: String = "", _ description: String, rows: [FieldRow<Family>]) {
        self.name = name
        shortDescription = short
        self.description = description
        self.rows = rows
    }
}

extension FieldFamily {
    static func id(of field: Self) -> FieldID { FieldID(rawValue: UInt32(number) << 16 | UInt32(field.rawValue)) }

    static func fieldClasses() -> [FieldClass] {
        classes.map { heading in
            FieldClass(
                name: heading.name, shortDescription: heading.shortDescription, description: heading.description,
                sources: ["syscall"], isFromPlugin: isFromPlugin,
                definitions: heading.rows.map {
                    FieldDefinition(
                        id: id(of: $0.field), name: $0.name, type: $0.type, flags: $0.flags, format: $0.format,
                        summary: $0.summary)
                })
        }
    }
}

/// A heading of `--list` with its fields.
public struct FieldClass: Sendable {
    public let name: String
    /// Tells two classes of one name apart; else empty.
    public let shortDescription: String
    public let description: String
    public let sources: [String]
    public let isFromPlugin: Bool
    public let definitions: [FieldDefinition]
    public init(
        name: String, shortDescription: String, description: String, sources: [String], isFromPlugin: Bool = false,
        definitions: [FieldDefinition]
    ) {
        self.name = name
        self.shortDescription = shortDescription
        self.description = description
        self.sources = sources
        self.isFromPlugin = isFromPlugin
        self.definitions = definitions
    }

    /// Several classes under the heading of the first.
    init(_ classes: [FieldClass]) {
        let first = classes[0]
        self.init(
            name: first.name, shortDescription: first.shortDescription, description: first.description, sources: first.sources,
            isFromPlugin: first.isFromPlugin, definitions: classes.flatMap(\.definitions))
    }
}

/// Numbers of the families, the high half of a `FieldID`.
public enum FieldFamilies {
    public static let event: UInt16 = 1
    public static let process: UInt16 = 2
    public static let user: UInt16 = 3
    public static let group: UInt16 = 4
    public static let descriptor: UInt16 = 5
    public static let path: UInt16 = 6
    public static let descriptorList: UInt16 = 7
    public static let container: UInt16 = 8
    public static let kubernetes: UInt16 = 9
    public static let kernel: UInt16 = 10
}

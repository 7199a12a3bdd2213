// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Stable number of a field in the catalogue: family in the high byte, row in the low ones. Plugin fields get run-time ids.
public struct FieldID: Sendable, Equatable, Hashable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

public struct FieldFlags: OptionSet, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public static let argumentOptional = FieldFlags(rawValue: 1)
    public static let argumentRequired = FieldFlags(rawValue: 2)
    /// The argument is a number (`proc.aname[2]`).
    public static let argumentIndex = FieldFlags(rawValue: 4)
    /// The argument is a word (`proc.env[HOME]`, `evt.arg.flags`).
    public static let argumentKey = FieldFlags(rawValue: 8)
    /// Several values at once; only `in`, `intersects` and `exists`.
    public static let list = FieldFlags(rawValue: 16)
    public static let deprecated = FieldFlags(rawValue: 32)
    /// Left out of `--list`.
    public static let hidden = FieldFlags(rawValue: 64)
    public static let filterOnly = FieldFlags(rawValue: 128)
    public static let printOnly = FieldFlags(rawValue: 256)
    public static let noRightSide = FieldFlags(rawValue: 512)
    public static let noTransformer = FieldFlags(rawValue: 1024)
    public static let suggestedOutput = FieldFlags(rawValue: 2048)
    /// Extracts several candidates (`fd.ip`: both ends; `proc.aname` without argument: all ancestors): a check holds when one does,
    /// `!=` when none is equal.
    public static let anyOf = FieldFlags(rawValue: 4096)
    /// The argument follows a dot instead of standing in brackets (`evt.arg.flags`).
    public static let argumentAfterDot = FieldFlags(rawValue: 8192)
    /// The value is a distance: whatever the operator, a check holds up to the constant (`evt.around[T]=D`).
    public static let distance = FieldFlags(rawValue: 16384)
}

/// One row of the catalogue.
public struct FieldDefinition: Sendable {
    public let id: FieldID
    public let name: String
    public let type: ParameterType
    public let flags: FieldFlags
    public let format: PrintFormat
    /// In our own words, for `--list` and docs/fields.md.
    public let summary: String
    public init(id: FieldID, name: String, type: ParameterType, flags: FieldFlags, format: PrintFormat, summary: String) {
        self.id = id
        self.name = name
        self.type = type
        self.flags = flags
        self.format = format
        self.summary = summary
    }
}

/// A field of the catalogue with its argument resolved: what compiled checks and outputs hold.
/// `number` and `key` are filled as the definition's flags say.
public struct FieldReference: Sendable {
    public let definition: FieldDefinition
    /// As written: `proc.aname[2]`, `evt.arg.flags`.
    public let text: String
    public let argument: String?
    public let number: Int64?
    /// Bytes of the key argument, kept for the life of the reference (a leaked allocation per compile is a bug: owned by `FieldKey`).
    public let key: FieldKey?
    public let selector: FieldSelector
    public init(definition: FieldDefinition, text: String, argument: String?, number: Int64?, key: FieldKey?) {
        self.definition = definition
        self.text = text
        self.argument = argument
        self.number = number
        self.key = key
        selector = FieldSelector(
            id: definition.id, type: definition.type, flags: definition.flags, number: number, key: key?.bytes)
    }
}

/// What extraction reads of a `FieldReference`, as plain memory: handing it on counts no references. It lives as long as the
/// reference, which owns the key's bytes.
public struct FieldSelector: Sendable {
    public let id: FieldID
    public let type: ParameterType
    public let flags: FieldFlags
    public let number: Int64?
    public let key: Bytes?
    /// Stands where there is no field; nothing extracts it.
    public static let none = FieldSelector(id: FieldID(rawValue: .max), type: .none, flags: [], number: nil, key: nil)
}

/// Owned bytes of a constant with a stable address, for comparing on the data plane.
public final class FieldKey: @unchecked Sendable {
    public let bytes: Bytes
    private let storage: UnsafeMutablePointer<UInt8>
    public init(_ array: [UInt8]) {
        storage = .allocate(capacity: max(1, array.count))
        storage.initialize(from: array, count: array.count)
        bytes = Bytes(base: storage, count: array.count)
    }
    public convenience init(_ text: String) { self.init(Array(text.utf8)) }
    deinit { storage.deallocate() }
}

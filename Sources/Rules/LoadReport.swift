// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// What came of one file.
public struct FileLoadResult: Sendable {
    public enum SchemaVerdict: Sendable, Equatable {
        case ok
        /// Not a YAML file, or it could not be read that far.
        case none
        case failed([String])

        public var text: String {
            switch self {
            case .ok: "ok"
            case .none: "none"
            case .failed(let reasons): "failed for \(reasons.first ?? "<root>")"
            }
        }
    }

    public var name: String
    /// Falco stops at the first error of a file; that one is here.
    public var errors: [Diagnostic] = []
    /// What else is wrong, for the annotated form: so that one run shows everything.
    public var furtherErrors: [Diagnostic] = []
    public var warnings: [Diagnostic] = []
    /// Ours: said to the user, but no part of Falco's load result (system calls not delivered by default, costly events).
    public var notices: [Diagnostic] = []
    public var schema = SchemaVerdict.none

    public var successful: Bool { errors.isEmpty }
    public var schemaWarnings: [String] { if case .failed(let reasons) = schema { reasons } else { [] } }
    public init(name: String) { self.name = name }
}

/// Errors and warnings while a file is read and compiled.
struct LoadReport {
    private(set) var errors: [Diagnostic] = []
    private(set) var warnings: [Diagnostic] = []
    private(set) var notices: [Diagnostic] = []
    /// More would not help anyone.
    static let errorsMax = 100

    var isFull: Bool { errors.count >= Self.errorsMax }

    mutating func fail(_ diagnostic: Diagnostic) { if errors.count < Self.errorsMax { errors.append(diagnostic) } }
    mutating func warn(_ diagnostic: Diagnostic) { warnings.append(diagnostic) }
    mutating func notice(_ diagnostic: Diagnostic) { notices.append(diagnostic) }

    func result(name: String, schema: FileLoadResult.SchemaVerdict) -> FileLoadResult {
        var result = FileLoadResult(name: name)
        result.errors = Array(errors.prefix(1))
        result.furtherErrors = Self.independent(errors)
        result.warnings = warnings
        result.notices = notices
        result.schema = schema
        return result
    }

    /// The errors behind the first, without those that say the same of the same place (a macro of many rules) or only follow from
    /// an item that was left out.
    private static func independent(_ errors: [Diagnostic]) -> [Diagnostic] {
        var places: Set<String> = []
        var broken: Set<String> = []
        var kept: [Diagnostic] = []
        for (index, error) in errors.enumerated() {
            let place = error.excerpt.map { "\($0.file):\($0.line):\($0.column):\(error.message)" }
            let item = error.context.last { [.rule, .macro, .list].contains($0.kind) && !$0.name.isEmpty }
            let name = item.map { "\($0.kind.rawValue) \($0.name)" }
            let follows = name.map { broken.contains($0) && error.message.hasSuffix("by that name already exists") } ?? false
            let isNew = place.map { places.insert($0).inserted } ?? true
            if let name { broken.insert(name) }
            if index > 0, isNew, !follows { kept.append(error) }
        }
        return kept
    }
}

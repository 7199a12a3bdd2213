// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FilterLanguage

/// Why a condition's macros cannot be put in.
public enum MacroProblem: Error, Sendable, Equatable {
    case undefined(String, SourceRange)
    case loop(String, SourceRange)
    /// The macro itself did not compile; that has been reported.
    case broken(String)
    case tooLarge(SourceRange)

    public var message: String {
        switch self {
        case .undefined(let name, _): "Undefined macro '\(name)' used in filter."
        case .loop(let name, _): "reference loop in macro '\(name)'"
        case .broken(let name): "macro '\(name)' did not compile"
        case .tooLarge: "the condition has more than \(MacroResolver.sizeMax) parts with its macros put in"
        }
    }
    public var range: SourceRange? {
        switch self {
        case .undefined(_, let range), .loop(_, let range), .tooLarge(let range): range
        case .broken: nil
        }
    }
}

/// Puts macros in place of their names, on the tree.
public struct MacroResolver {
    public enum Definition {
        case condition(Condition)
        case broken
    }
    /// What stops macros that name each other twice, and twice again.
    public static let sizeMax = 1_000_000
    public static let depthMax = 500

    private let lookUp: (String) -> Definition?
    /// Names that were put in, also by other macros.
    public private(set) var used: Set<String> = []
    private var open: [String] = []
    private var size = 0

    public init(_ lookUp: @escaping (String) -> Definition?) { self.lookUp = lookUp }

    public mutating func resolve(_ condition: Condition) throws(MacroProblem) -> Condition {
        size += 1
        switch condition {
        case .and(let children, let range): return .and(try resolve(children), range)
        case .or(let children, let range): return .or(try resolve(children), range)
        case .not(let child, let range): return .not(try resolve(child), range)
        case .check: return condition
        case .macro(let name, let range):
            guard !open.contains(name) else { throw .loop(name, range) }
            guard size <= Self.sizeMax, open.count < Self.depthMax else { throw .tooLarge(range) }
            switch lookUp(name) {
            case nil: throw .undefined(name, range)
            case .broken?: throw .broken(name)
            case .condition(let body)?:
                used.insert(name)
                open.append(name)
                defer { open.removeLast() }
                return try resolve(body)
            }
        }
    }

    private mutating func resolve(_ children: [Condition]) throws(MacroProblem) -> [Condition] {
        var resolved: [Condition] = []
        resolved.reserveCapacity(children.count)
        for child in children { resolved.append(try resolve(child)) }
        return resolved
    }
}

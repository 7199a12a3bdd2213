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
    case tooDeep(SourceRange)

    public var message: String {
        switch self {
        case .undefined(let name, _): "Undefined macro '\(name)' used in filter."
        case .loop(let name, _): "reference loop in macro '\(name)'"
        case .broken(let name): "macro '\(name)' did not compile"
        case .tooDeep: "with its macros put in, the condition is nested deeper than \(MacroResolver.depthMax) levels"
        case .tooLarge:
            "with its macros put in, the condition has more than \(MacroResolver.sizeMax) parts, or all conditions "
                + "together more than \(RuleCompiler.partsMax)"
        }
    }
    public var range: SourceRange? {
        switch self {
        case .undefined(_, let range), .loop(_, let range), .tooLarge(let range), .tooDeep(let range): range
        case .broken: nil
        }
    }
}

/// Puts macros in place of their names, on the tree.
public struct MacroResolver {
    public enum Definition {
        case condition(Condition)
        /// All macros are in already.
        case resolved(Resolved)
        case broken
    }
    public struct Resolved: Sendable {
        public let condition: Condition
        /// Parts and levels.
        public let size: Int
        public let depth: Int
    }
    /// What stops macros that name each other twice, and twice again.
    public static let sizeMax = 250_000
    /// Levels of the resolved tree: whoever walks it recurses.
    public static let depthMax = 1000

    private let lookUp: (String) -> Definition?
    /// Names that were put in, also by other macros.
    public private(set) var used: Set<String> = []
    private var open: [String] = []
    private var depth = 0
    private var deepest = 0
    /// Parts of the resolved condition so far.
    public private(set) var size = 0
    private let sizeMax: Int

    public init(sizeMax: Int = MacroResolver.sizeMax, _ lookUp: @escaping (String) -> Definition?) {
        self.sizeMax = min(sizeMax, Self.sizeMax)
        self.lookUp = lookUp
    }

    public mutating func resolve(_ condition: Condition) throws(MacroProblem) -> Condition { try resolveAll(condition).condition }

    public mutating func resolveAll(_ condition: Condition) throws(MacroProblem) -> Resolved {
        let resolved = try walk(condition)
        return Resolved(condition: resolved, size: size, depth: deepest)
    }

    private mutating func walk(_ condition: Condition) throws(MacroProblem) -> Condition {
        size += 1
        depth += 1
        defer { depth -= 1 }
        deepest = max(deepest, depth)
        guard depth <= Self.depthMax else { throw .tooDeep(condition.range) }
        switch condition {
        case .and(let children, let range): return .and(try walk(children), range)
        case .or(let children, let range): return .or(try walk(children), range)
        case .not(let child, let range): return .not(try walk(child), range)
        case .check: return condition
        case .macro(let name, let range):
            guard !open.contains(name) else { throw .loop(name, range) }
            guard size <= sizeMax else { throw .tooLarge(range) }
            switch lookUp(name) {
            case nil: throw .undefined(name, range)
            case .broken?: throw .broken(name)
            case .condition(let body)?:
                used.insert(name)
                open.append(name)
                defer { open.removeLast() }
                return try walk(body)
            case .resolved(let body)?:
                used.insert(name)
                size += body.size
                deepest = max(deepest, depth + body.depth)
                guard size <= sizeMax else { throw .tooLarge(range) }
                guard deepest <= Self.depthMax else { throw .tooDeep(range) }
                return body.condition
            }
        }
    }

    private mutating func walk(_ children: [Condition]) throws(MacroProblem) -> [Condition] {
        var resolved: [Condition] = []
        resolved.reserveCapacity(children.count)
        for child in children { resolved.append(try walk(child)) }
        return resolved
    }
}

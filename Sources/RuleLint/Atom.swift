// SPDX-License-Identifier: Apache-2.0
import FilterLanguage
import RuleEngine

/// One check, in the form in which something follows from it.
struct Atom: Sendable {
    typealias Value = CheckReading.Value

    enum Shape: Sendable {
        case exists
        /// The value is one of these.
        case members(Set<Value>)
        /// The value is another one than this.
        case other(than: Value)
        /// Both included; signed numbers with their sign bit turned over, so that they sort.
        case between(UInt64, UInt64)
        /// One of the patterns fits, or all of them have to.
        case text(Comparison, [[UInt8]], needsAll: Bool)
        /// Only equal to itself.
        case opaque
    }

    /// Nil for what could not be read.
    let reading: CheckReading?
    /// Number of the left side: checks of the same one speak of the same value.
    let field: Int
    let shape: Shape
    let isSingle: Bool

    init(opaqueField: Int) {
        reading = nil
        field = opaqueField
        shape = .opaque
        isSingle = false
    }

    init(_ reading: CheckReading, field: Int) {
        self.reading = reading
        self.field = field
        isSingle = reading.isSingle
        shape = Self.shape(reading)
    }

    private static func shape(_ reading: CheckReading) -> Shape {
        if reading.idiom != nil { return .opaque }
        if reading.comparison == .exists { return .exists }
        guard let constants = reading.constants else { return .opaque }
        switch reading.comparison {
        case .equal, .in, .intersects:
            // With a modifier one value can equal a constant or not; trying each tells what `oneof` and `allof` leave.
            guard reading.modifier != nil else { return .members(Set(constants)) }
            return reading.isSingle ? .members(Set(constants.filter(reading.holds))) : .opaque
        case .notEqual:
            guard reading.modifier == nil, constants.count == 1 else { return .opaque }
            return .other(than: constants[0])
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard reading.kind == .signed || reading.kind == .unsigned, constants.count == 1,
                case .number(let number) = constants[0]
            else { return .opaque }
            return order(reading.comparison, sortable(number, reading.kind))
        case .startswith, .endswith, .contains, .icontains, .pmatch, .bstartswith, .bcontains:
            let patterns = constants.compactMap { if case .text(let bytes) = $0 { bytes } else { nil } }
            guard !patterns.isEmpty, reading.modifier != .oneof else { return .opaque }
            var comparison = reading.comparison
            if comparison == .bstartswith { comparison = .startswith }
            if comparison == .bcontains { comparison = .contains }
            return .text(comparison, patterns, needsAll: reading.modifier == .allof)
        case .exists, .glob, .iglob, .regex: return .opaque
        }
    }

    private static func order(_ comparison: Comparison, _ bound: UInt64) -> Shape {
        switch comparison {
        case .less: bound == 0 ? .members([]) : .between(0, bound - 1)
        case .lessOrEqual: .between(0, bound)
        case .greater: bound == .max ? .members([]) : .between(bound + 1, .max)
        default: .between(bound, .max)
        }
    }

    /// Numbers in the order in which their kind sorts them; its own inverse.
    static func sortable(_ number: UInt64, _ kind: CheckReading.Kind) -> UInt64 {
        kind == .signed ? number ^ (1 << 63) : number
    }

    /// Whether the check holds for a value; nil when that depends on more than the value.
    func holds(_ value: Value) -> Bool? {
        guard isSingle, let reading, !reading.hasFieldOnRight, reading.idiom == nil else { return nil }
        switch shape {
        case .exists: return true
        case .members(let values): return values.contains(value)
        case .other(let than): return value != than
        case .between(let low, let high):
            guard case .number(let number) = value else { return nil }
            return (low...high).contains(Self.sortable(number, reading.kind))
        case .text, .opaque: return reading.holds(for: value)
        }
    }

    /// The finite set of values for which it holds.
    var members: Set<Value>? { if case .members(let values) = shape { values } else { nil } }

    // MARK: what follows from what

    /// Every value (or, of several candidates, every such set) for which `self` holds makes `other` hold. A false is not certain.
    func implies(_ other: Atom) -> Bool {
        guard field == other.field else { return false }
        if case .exists = other.shape { return true }
        if !isSingle { return impliesForMany(other) }
        switch (shape, other.shape) {
        case (.members(let values), _): return values.allSatisfy { other.holds($0) == true }
        case (.text(let left, let patterns, let needsAll), .text(let right, let others, let othersNeedAll)):
            func follows(_ pattern: [UInt8]) -> Bool {
                func fits(_ other: [UInt8]) -> Bool { TextPattern.follows(left, pattern, right, other) }
                return othersNeedAll ? others.allSatisfy(fits) : others.contains(where: fits)
            }
            return needsAll ? patterns.contains(where: follows) : patterns.allSatisfy(follows)
        case (.between(let low, let high), .between(let otherLow, let otherHigh)): return otherLow <= low && high <= otherHigh
        default: return false
        }
    }

    /// `fd.ip in (a)` makes `fd.ip in (a, b)` hold, and so for lists: the same operator, a smaller set.
    private func impliesForMany(_ other: Atom) -> Bool {
        guard let reading, let otherReading = other.reading, reading.modifier == nil, otherReading.modifier == nil,
            case .members(let values) = shape, case .members(let others) = other.shape, values.isSubset(of: others)
        else { return false }
        // Of a list `in` asks each, `intersects` one; of candidates all three ask for one.
        return reading.isList ? reading.comparison == otherReading.comparison : true
    }

    /// No value is in both. A false is not certain.
    func isDisjoint(with other: Atom) -> Bool {
        guard isSingle, field == other.field else { return false }
        guard case .text(let left, let patterns, let needsAll) = shape,
            case .text(let right, let others, let othersNeedAll) = other.shape
        else { return false }
        func apart(_ pattern: [UInt8], _ other: [UInt8]) -> Bool { TextPattern.areApart(left, pattern, right, other) }
        let pairs = patterns.map { pattern in
            othersNeedAll ? others.contains { apart(pattern, $0) } : others.allSatisfy { apart(pattern, $0) }
        }
        return needsAll ? pairs.contains(true) : pairs.allSatisfy { $0 }
    }
}

/// Relations of two text operators with one pattern each.
enum TextPattern {
    /// `x left pattern` makes `x right other` true.
    static func follows(_ left: Comparison, _ pattern: [UInt8], _ right: Comparison, _ other: [UInt8]) -> Bool {
        switch (left, right) {
        case (.startswith, .startswith): return pattern.starts(with: other)
        case (.endswith, .endswith): return pattern.reversed().starts(with: other.reversed())
        case (.startswith, .contains), (.endswith, .contains), (.contains, .contains): return contains(pattern, other)
        case (.startswith, .icontains), (.endswith, .icontains), (.contains, .icontains), (.icontains, .icontains):
            return contains(lowered(pattern), lowered(other))
        case (.pmatch, .pmatch):
            let (inner, outer) = (components(pattern), components(other))
            guard !(inner + outer).joined().contains(where: { "*?[".utf8.contains($0) }) else { return pattern == other }
            return inner.starts(with: outer)
        // Whole components only: what follows `/etc/` does not change them.
        case (.startswith, .pmatch):
            guard pattern.last == UInt8(ascii: "/") else { return false }
            let outer = components(other)
            return !outer.joined().contains(where: { "*?[".utf8.contains($0) }) && components(pattern).starts(with: outer)
        default: return false
        }
    }

    static func areApart(_ left: Comparison, _ pattern: [UInt8], _ right: Comparison, _ other: [UInt8]) -> Bool {
        switch (left, right) {
        case (.startswith, .startswith): return !pattern.starts(with: other) && !other.starts(with: pattern)
        case (.endswith, .endswith):
            let (left, right) = (Array(pattern.reversed()), Array(other.reversed()))
            return !left.starts(with: right) && !right.starts(with: left)
        default: return false
        }
    }

    static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        text.count >= part.count && (0...(text.count - part.count)).contains { text[$0...].starts(with: part) }
    }
    static func lowered(_ bytes: [UInt8]) -> [UInt8] { bytes.map { (65...90).contains($0) ? $0 + 32 : $0 } }
    static func components(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: UInt8(ascii: "/")).map(Array.init) }
}

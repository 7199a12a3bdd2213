// SPDX-License-Identifier: Apache-2.0
import EventModel
import Fields
import FilterLanguage
import SystemState

/// Walks the typed tree and compares constant by constant, as plainly as the language reads. Slow on purpose: it is what the
/// flat program is tested against.
public enum NaiveEvaluator {
    public static func holds(
        _ condition: CompiledCondition, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> Bool {
        holds(condition.root, context: context, state: state, scratch: &scratch)
    }

    private static func holds(
        _ node: TypedNode, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> Bool {
        switch node {
        case .constant(let value): return value
        case .and(let children):
            for child in children where !holds(child, context: context, state: state, scratch: &scratch) { return false }
            return true
        case .or(let children):
            for child in children where holds(child, context: context, state: state, scratch: &scratch) { return true }
            return false
        case .not(let child): return !holds(child, context: context, state: state, scratch: &scratch)
        case .check(let check):
            let mark = scratch.mark
            defer { scratch.rewind(to: mark) }
            let left = check.left.evaluate(context: context, state: state, scratch: &scratch)
            guard let right = check.right else { return holds(check, left, scratch: &scratch) }
            guard left.exists else { return false }
            let other = right.evaluate(context: context, state: state, scratch: &scratch)
            guard other.exists else { return false }
            return Comparing.compare(check.comparison, check.kind, isList: check.isList, left, other, scratch: scratch)
        }
    }

    /// A check against constants, of a value that has been extracted.
    static func holds(_ check: TypedCheck, _ left: FieldValue, scratch: inout ExtractionScratch) -> Bool {
        guard left.exists else { return false }
        guard let modifier = check.modifier else { return holds(check, left, check.constants, scratch: &scratch) }
        var count = 0
        for constant in check.constants where holds(check, left, [constant], scratch: &scratch) { count += 1 }
        switch modifier {
        case .oneof: return count == 1
        case .anyof: return count > 0
        case .allof: return count > 0 && count == check.constants.count
        }
    }

    private static func holds(
        _ check: TypedCheck, _ left: FieldValue, _ constants: [Constant], scratch: inout ExtractionScratch
    ) -> Bool {
        guard case .list(let start, let count) = left else { return holdsOne(check, left, constants, scratch: &scratch) }
        var holding = 0
        for index in start..<start + count where holdsOne(check, scratch.list[index], constants, scratch: &scratch) {
            holding += 1
        }
        if check.isList {
            switch check.comparison {
            case .exists: return true
            case .in: return holding == count
            default: return holding > 0
            }
        }
        let needsEach = check.isNotEqualForEach && check.comparison == .notEqual
        return needsEach ? holding == count : holding > 0
    }

    /// One value; of several constants one has to fit, which is what `in`, `intersects` and `pmatch` say.
    private static func holdsOne(
        _ check: TypedCheck, _ value: FieldValue, _ constants: [Constant], scratch: inout ExtractionScratch
    ) -> Bool {
        if check.comparison == .exists { return true }
        for constant in constants where holds(check, value, constant, scratch: &scratch) { return true }
        return false
    }

    private static func holds(
        _ check: TypedCheck, _ value: FieldValue, _ constant: Constant, scratch: inout ExtractionScratch
    ) -> Bool {
        let comparison = check.comparison
        switch constant {
        case .number(let number):
            guard let bits = Comparing.bits(value) else { return false }
            return check.kind == .signed
                ? Comparing.ordered(comparison, Int64(bitPattern: bits), Int64(bitPattern: number))
                : Comparing.ordered(comparison, bits, number)
        case .double(let number):
            guard let double = Comparing.double(value) else { return false }
            return Comparing.ordered(comparison, double, number)
        case .ipv4, .ipv6, .ipv4Network, .ipv6Network:
            return Comparing.isAddress(value) && Comparing.isEqualAddress(value, constant) == (comparison != .notEqual)
        case .regex(let regex):
            guard case .bytes(let bytes) = value else { return false }
            return Comparing.matches(regex.pattern, bytes, scratch: &scratch)
        case .bytes(let key):
            guard case .bytes(let bytes) = value else { return false }
            return holds(comparison, bytes.array, key.bytes.array)
        }
    }

    private static func holds(_ comparison: Comparison, _ value: [UInt8], _ constant: [UInt8]) -> Bool {
        func lowered(_ bytes: [UInt8]) -> [UInt8] { bytes.map { (65...90).contains($0) ? $0 + 32 : $0 } }
        func glob(_ value: [UInt8], _ pattern: [UInt8], ignoringCase: Bool) -> Bool {
            let (value, pattern) = (FieldKey(value), FieldKey(pattern))
            return GlobText.matches(pattern.bytes, value.bytes, ignoringCase: ignoringCase)
        }
        func contains(_ value: [UInt8], _ part: [UInt8]) -> Bool {
            value.count >= part.count && (0...(value.count - part.count)).contains { value[$0...].starts(with: part) }
        }
        func components(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: UInt8(ascii: "/")).map(Array.init) }
        switch comparison {
        case .exists: return true
        case .equal, .in, .intersects: return value == constant
        case .notEqual: return value != constant
        case .less: return value.lexicographicallyPrecedes(constant)
        case .greater: return constant.lexicographicallyPrecedes(value)
        case .lessOrEqual: return !constant.lexicographicallyPrecedes(value)
        case .greaterOrEqual: return !value.lexicographicallyPrecedes(constant)
        case .contains, .bcontains: return contains(value, constant)
        case .icontains: return contains(lowered(value), lowered(constant))
        case .startswith, .bstartswith: return value.starts(with: constant)
        case .endswith: return value.reversed().starts(with: constant.reversed())
        case .glob: return glob(value, constant, ignoringCase: false)
        case .iglob: return glob(value, constant, ignoringCase: true)
        case .regex: return false  // its constants are patterns
        case .pmatch:
            let (path, prefix) = (components(value), components(constant))
            return prefix.count <= path.count
                && zip(path, prefix).allSatisfy { component, pattern in
                    pattern.contains { "*?[".utf8.contains($0) }
                        ? glob(component, pattern, ignoringCase: false) : component == pattern
                }
        }
    }
}

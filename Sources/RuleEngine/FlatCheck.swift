// SPDX-License-Identifier: Apache-2.0
import CLinux
import EventModel
import Fields
import FilterLanguage

/// What a check does with one value. The flat program's `switch`.
enum CheckOpcode: UInt8, CaseIterable {
    case exists
    case numberEqual, numberNotEqual, numberIn
    case signedOrder, unsignedOrder, doubleOrder
    case bytesEqual, bytesNotEqual, bytesIn, bytesOrder
    case contains, icontains, startswith, endswith, glob, iglob, regex, pmatch
    case addressEqual, addressNotEqual, addressIn, networkEqual, networkNotEqual, networkIn
    /// Both sides come from the event.
    case fields
}

/// How the right sides of one check combine.
enum CheckShape: UInt8 {
    /// One right side, or a set that the opcode looks up as a whole.
    case single
    case oneof, anyof, allof
}

/// A check as plain memory: indices and pointers into tables that the program owns.
struct FlatCheck {
    var opcode: CheckOpcode
    var shape: CheckShape
    var comparison: Comparison
    var kind: ValueKind
    var isList: Bool
    var isNotEqualForEach: Bool
    /// Expression on the left; on the right too when `opcode` is `.fields`.
    var left: Int32
    var right: Int32
    /// First right side, and how many.
    var operand: Int32
    var operandCount: Int32
}

/// A right side as plain memory; which member holds it, the opcode knows.
struct FlatOperand {
    /// Number, bits of a double, address or the first half of one.
    var first: UInt64 = 0
    var second: UInt64 = 0
    var maskFirst: UInt64 = 0
    var maskSecond: UInt64 = 0
    var isIPv6 = false
    var bytes = Bytes.empty
    var regex: OpaquePointer?
    /// Index of a set, tree or glob.
    var table = 0
    /// Constants of a set of networks: this and the following ones.
    var count = 1
}

/// The tables checks point into. Plain memory, freed by the program.
struct CheckTables {
    var operands: UnsafeMutablePointer<FlatOperand>
    var byteSets: UnsafeMutablePointer<ByteSet>
    var wordSets: UnsafeMutablePointer<WordSet>
    var trees: UnsafeMutablePointer<PathTree>
    var globs: UnsafeMutablePointer<GlobPattern>

    /// Does the check hold for a left value that exists?
    @inline(__always)
    func holds(_ check: UnsafePointer<FlatCheck>, _ value: FieldValue, scratch: inout ExtractionScratch) -> Bool {
        if check.pointee.shape == .single { return holds(check, value, Int(check.pointee.operand), scratch: &scratch) }
        var holding = 0
        let count = Int(check.pointee.operandCount)
        for index in 0..<count where holds(check, value, Int(check.pointee.operand) &+ index, scratch: &scratch) {
            holding &+= 1
            if check.pointee.shape == .anyof { return true }
        }
        return switch check.pointee.shape {
        case .single, .anyof: false
        case .oneof: holding == 1
        case .allof: holding > 0 && holding == count
        }
    }

    private func holds(_ check: UnsafePointer<FlatCheck>, _ value: FieldValue, _ operand: Int, scratch: inout ExtractionScratch)
        -> Bool
    {
        guard case .list(let start, let count) = value else { return test(check, value, operand, scratch: &scratch) }
        if check.pointee.isList {
            if check.pointee.opcode == .exists { return true }
            let needsAll = check.pointee.comparison == .in
            for index in start..<start &+ count where test(check, scratch.list[index], operand, scratch: &scratch) != needsAll {
                return !needsAll
            }
            return needsAll
        }
        // Candidates: one is enough, but for `fd.ip != x` and its like.
        let needsEach = check.pointee.isNotEqualForEach && check.pointee.comparison == .notEqual
        for index in start..<start &+ count where test(check, scratch.list[index], operand, scratch: &scratch) != needsEach {
            return !needsEach
        }
        // No candidate at all differs from everything: an address without a name has none of the names asked for.
        return needsEach
    }

    @inline(__always)
    private func test(_ check: UnsafePointer<FlatCheck>, _ value: FieldValue, _ index: Int, scratch: inout ExtractionScratch)
        -> Bool
    {
        let operand = operands + index
        switch check.pointee.opcode {
        case .exists: return true
        case .numberEqual:
            guard let bits = Comparing.bits(value) else { return false }
            return bits == operand.pointee.first
        case .numberNotEqual:
            guard let bits = Comparing.bits(value) else { return false }
            return bits != operand.pointee.first
        case .numberIn:
            guard let bits = Comparing.bits(value) else { return false }
            return wordSets[operand.pointee.table].contains(bits, 0)
        case .signedOrder:
            guard let bits = Comparing.bits(value) else { return false }
            return Comparing.ordered(check.pointee.comparison, Int64(bitPattern: bits), Int64(bitPattern: operand.pointee.first))
        case .unsignedOrder:
            guard let bits = Comparing.bits(value) else { return false }
            return Comparing.ordered(check.pointee.comparison, bits, operand.pointee.first)
        case .doubleOrder:
            guard let double = Comparing.double(value) else { return false }
            for offset in 0..<operand.pointee.count
            where Comparing.ordered(check.pointee.comparison, double, Double(bitPattern: operands[index &+ offset].first)) {
                return true
            }
            return false
        case .bytesEqual:
            guard case .bytes(let bytes) = value else { return false }
            return bytes == operand.pointee.bytes
        case .bytesNotEqual:
            guard case .bytes(let bytes) = value else { return false }
            return !(bytes == operand.pointee.bytes)
        case .bytesIn:
            guard case .bytes(let bytes) = value else { return false }
            return byteSets[operand.pointee.table].contains(bytes)
        case .bytesOrder:
            guard case .bytes(let bytes) = value else { return false }
            return Comparing.ordered(check.pointee.comparison, Comparing.order(bytes, operand.pointee.bytes), 0)
        case .contains:
            guard case .bytes(let bytes) = value else { return false }
            return bytes.contains(operand.pointee.bytes)
        case .icontains:
            guard case .bytes(let bytes) = value else { return false }
            return Comparing.containsIgnoringCase(bytes, lowerNeedle: operand.pointee.bytes)
        case .startswith:
            guard case .bytes(let bytes) = value else { return false }
            return bytes.hasPrefix(operand.pointee.bytes)
        case .endswith:
            guard case .bytes(let bytes) = value else { return false }
            return bytes.hasSuffix(operand.pointee.bytes)
        case .glob, .iglob:
            guard case .bytes(let bytes) = value else { return false }
            return globs[operand.pointee.table].matches(bytes)
        case .regex:
            guard case .bytes(let bytes) = value, let pattern = operand.pointee.regex else { return false }
            return Comparing.matches(pattern, bytes, scratch: &scratch)
        case .pmatch:
            guard case .bytes(let bytes) = value else { return false }
            return trees[operand.pointee.table].matches(bytes)
        case .addressEqual: return isIn(value, network: operand)
        case .addressNotEqual: return Comparing.isAddress(value) && !isIn(value, network: operand)
        case .addressIn:
            switch value {
            case .ipv4(let address): return wordSets[operand.pointee.table].contains(UInt64(address), Self.ipv4Tag)
            case .ipv6(let address): return wordSets[operand.pointee.table &+ 1].contains(address.high, address.low)
            default: return false
            }
        case .networkEqual: return isIn(value, network: operand)
        case .networkNotEqual: return Comparing.isAddress(value) && !isIn(value, network: operand)
        case .networkIn:
            for offset in 0..<operand.pointee.count where isIn(value, network: operands + (index &+ offset)) { return true }
            return false
        case .fields: return false  // the evaluator compares fields itself
        }
    }

    static let ipv4Tag: UInt64 = 4

    @inline(__always)
    private func isIn(_ value: FieldValue, network: UnsafeMutablePointer<FlatOperand>) -> Bool {
        switch value {
        case .ipv4(let address):
            !network.pointee.isIPv6 && UInt64(address) & network.pointee.maskFirst == network.pointee.first
        case .ipv6(let address):
            network.pointee.isIPv6 && address.high & network.pointee.maskFirst == network.pointee.first
                && address.low & network.pointee.maskSecond == network.pointee.second
        default: false
        }
    }
}

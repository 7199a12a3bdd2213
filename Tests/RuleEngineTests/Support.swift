// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Fields
import FilterLanguage
import SystemState

@testable import RuleEngine

func compiled(_ text: String, source: String = "syscall") throws -> CompiledCondition {
    var parser = ConditionParser(text)
    return try ConditionCompiler(catalogue: .builtin, source: source).compile(parser.parse())
}

/// The typed check of `text`, which is one check.
func compiledCheck(_ text: String) throws -> TypedCheck {
    guard case .check(let check) = try compiled(text).root else { preconditionFailure("'\(text)' is not one check") }
    return check
}

/// Events that live as long as the store.
final class EventStore {
    private var buffers: [UnsafeMutableRawBufferPointer] = []
    deinit { for buffer in buffers { buffer.deallocate() } }

    func event(_ type: UInt16, timestampNs: UInt64 = 1, cpu: UInt16 = 0, parameters: [[UInt8]] = []) throws -> EventView {
        var builder = EventBuilder()
        builder.begin(type: type, tid: 1, timestampNs: timestampNs)
        for parameter in parameters { builder.append(raw: parameter) }
        var bytes: [UInt8] = []
        builder.write(to: &bytes)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        buffer.copyBytes(from: bytes)
        buffers.append(buffer)
        return try EventView(checking: Bytes(UnsafeRawBufferPointer(buffer)), cpu: cpu)
    }
}

/// Both evaluators' verdict over an extracted value; fails the caller's expectation by nil when they disagree.
func verdict(_ check: TypedCheck, _ value: FieldValue, list: [FieldValue]? = nil) -> Bool? {
    var scratch = ExtractionScratch()
    var value = value
    if let list {
        for entry in list { scratch.push(entry) }
        value = .list(start: 0, count: list.count)
    }
    let naive = NaiveEvaluator.holds(check, value, scratch: &scratch)
    let program = RuleProgram(rules: [
        CompiledCondition(root: .check(check), eventCodes: .all, warnings: [], systemCallCodes: [])
    ])
    let flat = value.exists && program.tables.holds(UnsafePointer(program.checks), value, scratch: &scratch)
    return naive == flat ? flat : nil
}

func text(_ string: String) -> FieldValue { .bytes(FieldKey.kept(Array(string.utf8)).bytes) }
func bytes(_ array: [UInt8]) -> FieldValue { .bytes(FieldKey.kept(array).bytes) }

extension FieldKey {
    /// Test values have to outlive the expression that makes them.
    static func kept(_ array: [UInt8]) -> FieldKey {
        let key = FieldKey(array)
        _ = Unmanaged.passRetained(key)
        return key
    }
}

/// SplitMix64: the same conditions and events for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// Where one parameter of the converted event comes from.
struct ParameterSource: Equatable {
    enum Kind: UInt8 { case own, enter, zero, empty, containerJSON }
    var kind: Kind
    /// Parameter of this event or of the stored enter event.
    var index: UInt8 = 0
    /// `.enter`: only an enter event of this type will do.
    var enterType: UInt16 = 0
    /// `.zero`, and `.enter` without an enter event: a value of this many bytes …
    var valueBytes: UInt8 = 0
    /// … all 0x00, or all 0xff (user and group ids).
    var valueByte: UInt8 = 0
}

/// What becomes of the events of one (type, parameter count), the whole chain of conversions folded into one step.
struct ConversionPlan: Equatable {
    /// Delivered; else it goes no further than the table of enter events.
    var isDelivered: Bool
    /// Kept until its exit event comes.
    var isStored: Bool
    /// The parameters are those of the original, unchanged.
    var isIdentity: Bool
    var type: UInt16
    /// Into `ConversionTable.sources`; one per parameter of the result.
    var firstSource: Int32
    var sourceCount: Int32
}

enum ConversionVerdict: Equatable {
    /// Already as today's.
    case unchanged
    /// Of no use today: an enter event whose exit event tells everything.
    case dropped
    /// No row says what to do with so many parameters.
    case unknownLayout
    case planned(Int)
}

/// The rows of conversions.def, folded once into plans by (type, parameter count). Lives as long as the program, so its
/// tables are plain memory: a look-up per event counts no references.
final class ConversionTable: @unchecked Sendable {
    static let shared = ConversionTable()

    /// Parameter counts that plans are kept for; no event type has as many.
    static let countsPerType = 64
    /// No chain in the table is nearly as long; a longer one would be a loop.
    static let roundsMax = 50

    let plans: UnsafeBufferPointer<ConversionPlan>
    let sources: UnsafeBufferPointer<ParameterSource>
    private let index: UnsafeBufferPointer<Int16>
    private static let indexUnchanged: Int16 = -1
    private static let indexDropped: Int16 = -2
    private static let indexUnknown: Int16 = -3

    @inline(__always)
    func verdict(type: UInt16, parameterCount: Int) -> ConversionVerdict {
        // No table row comes near so many parameters: a later version may have them, and we read those we know.
        guard parameterCount < Self.countsPerType else { return .unchanged }
        let entry = index[Int(type) &* Self.countsPerType &+ parameterCount]
        switch entry {
        case Self.indexUnchanged: return .unchanged
        case Self.indexDropped: return .dropped
        case Self.indexUnknown: return .unknownLayout
        default: return .planned(Int(entry))
        }
    }

    private init() {
        var rowCount: UInt32 = 0
        let rows = probe_conversion_rows(&rowCount)!
        var byKey: [Int: Row] = [:]
        for number in 0..<Int(rowCount) {
            let row = Row(rows[number])
            byKey[Int(row.event) * Self.countsPerType + row.parameterCount] = row
        }
        var plans: [ConversionPlan] = []
        var sources: [ParameterSource] = []
        var index = [Int16](repeating: Self.indexUnchanged, count: EventTable.count * Self.countsPerType)
        for type in 0..<EventTable.count {
            for count in 0..<Self.countsPerType {
                let at = type * Self.countsPerType + count
                switch Self.fold(type: UInt16(type), count: count, rows: byKey) {
                case .unchanged: break
                case .dropped: index[at] = Self.indexDropped
                case .unknownLayout: index[at] = Self.indexUnknown
                case .plan(var plan, let own):
                    plan.firstSource = Int32(sources.count)
                    index[at] = Int16(plans.count)
                    plans.append(plan)
                    sources += own
                }
            }
        }
        func keep<T>(_ values: [T]) -> UnsafeBufferPointer<T> {
            let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: values.count)
            _ = memory.initialize(from: values)
            return UnsafeBufferPointer(memory)
        }
        self.plans = keep(plans)
        self.sources = keep(sources)
        self.index = keep(index)
    }

    private enum Folded {
        case unchanged, dropped, unknownLayout
        case plan(ConversionPlan, [ParameterSource])
    }

    private static func fold(type original: UInt16, count: Int, rows: [Int: Row]) -> Folded {
        var type = original
        var sources = (0..<count).map { ParameterSource(kind: .own, index: UInt8($0)) }
        var isStored = false
        var isDelivered = false
        rounds: for _ in 0..<roundsMax {
            let info = EventTable.events[Int(type)]
            guard info.has(EF_CONVERTER_MANAGED) else {
                isDelivered = !info.isUnused && !(info.isEnter && info.isOldVersion)
                break rounds
            }
            if !info.isEnter && !info.isOldVersion && sources.count == info.parameters.count {
                isDelivered = true
                break rounds
            }
            guard let row = rows[Int(type) * countsPerType + sources.count] else {
                // More parameters than we know: written by a later version, which only ever appends.
                let isLater = !info.isOldVersion && sources.count > info.parameters.count
                guard isLater else { return .unknownLayout }
                isDelivered = true
                break rounds
            }
            switch row.action {
            case CONVERSION_PASS:
                isDelivered = true
                break rounds
            case CONVERSION_STORE:
                isStored = true
                break rounds
            case CONVERSION_STORE_AND_PASS:
                isStored = true
                isDelivered = true
                break rounds
            case CONVERSION_ADD_PARAMS:
                for word in row.instructions {
                    sources.append(source(word, type: type, newType: row.newEvent, at: sources.count, own: sources))
                }
            default:
                let previous = sources
                sources = []
                for word in row.instructions {
                    sources.append(source(word, type: type, newType: row.newEvent, at: sources.count, own: previous))
                }
            }
            type = row.newEvent
        }
        if !isDelivered && !isStored { return .dropped }
        let isIdentity = type == original && sources == (0..<count).map { ParameterSource(kind: .own, index: UInt8($0)) }
        if isIdentity && isDelivered && !isStored { return .unchanged }
        return .plan(
            ConversionPlan(
                isDelivered: isDelivered, isStored: isStored, isIdentity: isIdentity, type: type, firstSource: 0,
                sourceCount: Int32(sources.count)), sources)
    }

    private static func source(
        _ word: Row.Instruction, type: UInt16, newType: UInt16, at position: Int, own: [ParameterSource]
    ) -> ParameterSource {
        let parameters = EventTable.events[Int(newType)].parameters
        precondition(position < parameters.count, "conversions.def: more parameters than the event has")
        let value = zeroValue(of: parameters[position].type)
        switch word {
        case .own(let index):
            precondition(index < own.count, "conversions.def: no such parameter")
            return own[index]
        case .enter(let index, let hasDefault):
            return ParameterSource(
                kind: .enter, index: UInt8(index), enterType: type - 1, valueBytes: hasDefault ? value.bytes : 0,
                valueByte: value.byte)
        case .zero: return ParameterSource(kind: .zero, valueBytes: value.bytes, valueByte: value.byte)
        case .empty: return ParameterSource(kind: .empty)
        case .computed: return ParameterSource(kind: .containerJSON)
        }
    }

    private static func zeroValue(of type: ParameterType) -> (bytes: UInt8, byte: UInt8) {
        (UInt8(type.fixedBytes ?? 0), type == .uid || type == .gid ? 0xff : 0)
    }

    /// A row of conversions.def, its instructions read.
    private struct Row {
        enum Instruction {
            case own(Int)
            case enter(Int, hasDefault: Bool)
            case zero, empty, computed
        }
        let event: UInt16
        let parameterCount: Int
        let newEvent: UInt16
        let action: probe_conversion_action
        let instructions: [Instruction]

        init(_ row: probe_conversion_row) {
            event = row.event
            parameterCount = Int(row.parameter_count)
            newEvent = row.new_event
            action = probe_conversion_action(rawValue: UInt32(row.action))
            instructions = String(cString: row.instructions).split(separator: " ").map { word in
                switch (word.first, Int(word.dropFirst())) {
                case ("o", let index?): .own(index)
                case ("e", let index?): .enter(index, hasDefault: false)
                case ("d", let index?): .enter(index, hasDefault: true)
                case ("D", nil): .zero
                case ("E", nil): .empty
                case ("C", nil): .computed
                default: preconditionFailure("conversions.def: unknown instruction '\(word)'")
                }
            }
        }
    }
}

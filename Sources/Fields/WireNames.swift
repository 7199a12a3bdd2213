// SPDX-License-Identifier: Apache-2.0
import EventModel

/// The event table again, as plain memory with byte strings: the rows of `EventTable` hold `String`s, which the data plane
/// does not touch. Made once, kept for the life of the program.
struct WireNames: @unchecked Sendable {
    struct Parameter {
        let name: Bytes
        /// Equal names have equal numbers.
        let nameNumber: UInt16
        let type: ParameterType
        let format: PrintFormat
        let flagTable: Int16
        let dirfdParameter: Int16
        let dynamicSet: Int16
    }
    struct Flag {
        let name: Bytes
        let value: UInt32
    }
    struct Run {
        let start: Int32
        let count: Int32
    }

    static let shared = WireNames()

    private let events: UnsafeMutablePointer<Bytes>
    private let calls: UnsafeMutablePointer<Bytes>
    private let callCount: Int
    private let nativeCalls: UnsafeMutablePointer<Bytes>
    private let nativeCallCount: Int
    private let parameters: UnsafeMutablePointer<Parameter>
    private let parameterRuns: UnsafeMutablePointer<Run>
    private let flags: UnsafeMutablePointer<Flag>
    private let flagRuns: UnsafeMutablePointer<Run>
    private let flagRunCount: Int
    private let dynamics: UnsafeMutablePointer<Parameter>
    private let dynamicRuns: UnsafeMutablePointer<Run>
    private let dynamicRunCount: Int
    /// Numbers of parameter names, for compiling references to arguments.
    let numberOfName: [String: UInt16]

    private init() {
        func keep(_ text: String) -> Bytes {
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, text.utf8.count))
            var index = 0
            for byte in text.utf8 {
                copy[index] = byte
                index += 1
            }
            return Bytes(base: copy, count: index)
        }
        func flatten<Row>(_ rows: [[Row]]) -> (UnsafeMutablePointer<Row>, UnsafeMutablePointer<Run>) {
            let flat = rows.flatMap { $0 }
            let memory = UnsafeMutablePointer<Row>.allocate(capacity: max(1, flat.count))
            memory.initialize(from: flat, count: flat.count)
            let runs = UnsafeMutablePointer<Run>.allocate(capacity: max(1, rows.count))
            var start: Int32 = 0
            for (index, row) in rows.enumerated() {
                (runs + index).initialize(to: Run(start: start, count: Int32(row.count)))
                start += Int32(row.count)
            }
            return (memory, runs)
        }
        func flatten(_ names: [Bytes]) -> UnsafeMutablePointer<Bytes> {
            let memory = UnsafeMutablePointer<Bytes>.allocate(capacity: max(1, names.count))
            memory.initialize(from: names, count: names.count)
            return memory
        }
        events = flatten(EventTable.events.map { keep($0.name) })
        calls = flatten(EventTable.systemCallCodes.map { keep($0.name) })
        callCount = EventTable.systemCallCodes.count
        var native: [Bytes] = []
        for call in EventTable.syscalls where call.number >= 0 && call.number < 4096 {
            while native.count <= call.number { native.append(.empty) }
            native[call.number] = keep(call.name)
        }
        nativeCalls = flatten(native)
        nativeCallCount = native.count

        var numbers: [String: UInt16] = [:]
        var names: [Bytes] = []
        let shapes = EventTable.events.map { event in
            event.parameters.map { info in
                if numbers[info.name] == nil {
                    numbers[info.name] = UInt16(names.count)
                    names.append(keep(info.name))
                }
                let number = numbers[info.name]!
                return Parameter(
                    name: names[Int(number)], nameNumber: number, type: info.type, format: info.format,
                    flagTable: Int16(info.flagTable), dirfdParameter: Int16(info.dirfdParameter),
                    dynamicSet: Int16(info.dynamicSet))
            }
        }
        (parameters, parameterRuns) = flatten(shapes)
        numberOfName = numbers
        (flags, flagRuns) = flatten(EventTable.flagTables.map { $0.map { Flag(name: keep($0.name), value: $0.value) } })
        flagRunCount = EventTable.flagTables.count
        (dynamics, dynamicRuns) = flatten(
            EventTable.dynamicSets.map {
                $0.map {
                    Parameter(
                        name: .empty, nameNumber: 0, type: $0.type, format: $0.format, flagTable: -1, dirfdParameter: -1,
                        dynamicSet: -1)
                }
            })
        dynamicRunCount = EventTable.dynamicSets.count
    }

    @inline(__always) func event(_ code: UInt16) -> Bytes { events[Int(code)] }

    /// Name of a portable system call code; nil outside the table.
    func systemCall(_ code: UInt16) -> Bytes? { Int(code) < callCount && !calls[Int(code)].isEmpty ? calls[Int(code)] : nil }

    /// Name of a system call by its x86-64 number.
    func nativeCall(_ number: Int64) -> Bytes? {
        guard number >= 0, number < Int64(nativeCallCount), !nativeCalls[Int(number)].isEmpty else { return nil }
        return nativeCalls[Int(number)]
    }

    @inline(__always) func parameterCount(_ code: UInt16) -> Int { Int(parameterRuns[Int(code)].count) }

    /// Parameter `index` of an event type; `index` is below `parameterCount`.
    @inline(__always) func parameter(_ code: UInt16, _ index: Int) -> Parameter {
        precondition(index >= 0 && index < parameterCount(code), "no such parameter")
        return parameters[Int(parameterRuns[Int(code)].start) + index]
    }

    /// Where an event type has the parameter of that name number.
    @inline(__always) func index(ofName number: UInt16, in code: UInt16) -> Int? {
        let run = parameterRuns[Int(code)]
        for index in 0..<Int(run.count) where parameters[Int(run.start) + index].nameNumber == number { return index }
        return nil
    }

    func flagCount(_ table: Int16) -> Int { table >= 0 && Int(table) < flagRunCount ? Int(flagRuns[Int(table)].count) : 0 }
    func flag(_ table: Int16, _ index: Int) -> Flag { flags[Int(flagRuns[Int(table)].start) + index] }

    /// What a dynamic parameter holds whose first byte is `alternative`.
    func dynamic(_ set: Int16, _ alternative: UInt8) -> Parameter? {
        guard set >= 0, Int(set) < dynamicRunCount, Int(alternative) < Int(dynamicRuns[Int(set)].count) else { return nil }
        return dynamics[Int(dynamicRuns[Int(set)].start) + Int(alternative)]
    }
}

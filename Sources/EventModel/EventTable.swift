// SPDX-License-Identifier: Apache-2.0
import CProbeABI

/// PT_…: the type of a parameter or field; raw values are the wire's (a plugin sees them).
public enum ParameterType: UInt8, Sendable, CaseIterable {
    case none = 0
    case int8, int16, int32, int64, uint8, uint16, uint32, uint64
    case charbuf, bytebuf, errno, sockaddr, socktuple, fd, pid, fdlist, fspath, syscallid, sigtype
    case reltime, abstime, port, l4proto, sockfamily, bool, ipv4addr, dyn
    case flags8, flags16, flags32, uid, gid, double, sigset, charbufarray, charbufPairArray
    case ipv4net, ipv6addr, ipv6net, ipaddr, ipnet, mode, fsrelpath
    case enumflags8, enumflags16, enumflags32, fd32, pid32

    /// The upstream word after `PT_`, as in events.def and in `--list-events`.
    public var name: String {
        self == .charbufPairArray ? "CHARBUF_PAIR_ARRAY" : String(describing: self).uppercased()
    }
    static let byName: [String: ParameterType] = .init(uniqueKeysWithValues: allCases.map { ($0.name, $0) })

    /// Bytes on the wire where that is fixed, else nil.
    public var fixedBytes: Int? {
        switch self {
        case .int8, .uint8, .sigtype, .l4proto, .sockfamily, .flags8, .enumflags8: 1
        case .int16, .uint16, .syscallid, .port, .flags16, .enumflags16: 2
        case .int32, .uint32, .bool, .ipv4addr, .flags32, .enumflags32, .uid, .gid, .mode, .sigset, .fd32, .pid32: 4
        case .int64, .uint64, .errno, .fd, .pid, .reltime, .abstime, .double: 8
        case .ipv6addr: 16
        default: nil
        }
    }
    public var isSigned: Bool {
        switch self {
        case .int8, .int16, .int32, .int64, .errno, .fd, .pid, .fd32, .pid32: true
        default: false
        }
    }
}

/// PF_…: how a number is shown.
public enum PrintFormat: UInt8, Sendable, CaseIterable {
    case na, dec, hex, paddedDec, id, dir, oct
    static let byName: [String: PrintFormat] = [
        "NA": .na, "DEC": .dec, "HEX": .hex, "10_PADDED_DEC": .paddedDec, "ID": .id, "DIR": .dir, "OCT": .oct,
    ]
}

/// One name of a value, from flags.def.
public struct FlagName: Sendable {
    public let name: String
    public let value: UInt32
}

public struct ParameterInfo: Sendable {
    public let name: String
    public let type: ParameterType
    public let format: PrintFormat
    /// Index into `EventTable.flagTables`, or -1.
    public let flagTable: Int
    /// The parameter that holds the directory descriptor of this relative path, or -1.
    public let dirfdParameter: Int
    /// Index into `EventTable.dynamicSets`, or -1.
    public let dynamicSet: Int
}

public struct EventInfo: Sendable {
    public let code: UInt16
    /// `PPME_SYSCALL_OPEN_X`
    public let identifier: String
    public let name: String
    public let category: UInt16
    public let flags: UInt16
    public let parameters: [ParameterInfo]

    public var isEnter: Bool { code & 1 == 0 }
    public var isOldVersion: Bool { flags & UInt16(EF_OLD_VERSION.rawValue) != 0 }
    public var isUnused: Bool { flags & UInt16(EF_UNUSED.rawValue) != 0 }
    public func has(_ flag: ppm_event_flags) -> Bool { flags & UInt16(flag.rawValue) != 0 }
    public func parameterIndex(_ name: String) -> Int? { parameters.firstIndex { $0.name == name } }
}

public struct SyscallInfo: Sendable {
    public let number: Int
    public let name: String
    public let sc: UInt16
    public let exitEvent: UInt16
    public let flags: UInt16
    public var isGeneric: Bool { exitEvent == UInt16(PPME_GENERIC_X.rawValue) }
}

public struct SystemCallCode: Sendable {
    public let code: UInt16
    public let name: String
    public let isGeneric: Bool
    /// Newest event code of this call (its exit side), `PPME_GENERIC_X` for generic ones.
    public let event: UInt16
}

/// The rows of events.def, flags.def, syscalls.def and ppm_sc.def, parsed once at first use (about 2 ms).
public enum EventTable {
    public static let count = Int(PPM_EVENT_MAX.rawValue)

    public static let flagTableNames: [String] = flags.names
    public static let flagTables: [[FlagName]] = flags.tables
    public static let dynamicSets: [[(type: ParameterType, format: PrintFormat)]] = dynamics.sets
    public static let dynamicSetNames: [String] = dynamics.names

    /// Not in the table: a record of ours for the state (`PROBE_KERNEL_RECORD` tells its parameters).
    public static let kernelRecord = EventInfo(
        code: UInt16(PROBE_KERNEL_RECORD), identifier: "KERNEL_RECORD", name: "kernel_record",
        category: UInt16(EC_INTERNAL.rawValue), flags: UInt16(EF_LARGE_PAYLOAD.rawValue | EF_MODIFIES_STATE.rawValue),
        parameters: [])
    public static let events: [EventInfo] = {
        var count: UInt32 = 0
        let rows = probe_event_rows(&count)!
        return (0..<Int(count)).map { code in
            let row = rows[code]
            return EventInfo(
                code: UInt16(code), identifier: String(cString: row.identifier), name: String(cString: row.name),
                category: row.category, flags: row.flags, parameters: parse(String(cString: row.parameters)))
        }
    }()

    /// Category and flags by event code without touching the rows' reference-counted parts: for the data plane.
    public static let flagsByCode: ContiguousArray<UInt16> = ContiguousArray(events.map(\.flags))
    public static let categoryByCode: ContiguousArray<UInt16> = ContiguousArray(events.map(\.category))
    public static let parameterCountByCode: ContiguousArray<Int> = ContiguousArray(events.map(\.parameters.count))

    /// x86-64 calls, ordered by number; not dense.
    public static let syscalls: [SyscallInfo] = {
        var count: UInt32 = 0
        let rows = probe_syscall_rows(&count)!
        return (0..<Int(count)).map {
            SyscallInfo(
                number: Int(rows[$0].number), name: String(cString: rows[$0].name), sc: rows[$0].ppm_sc,
                exitEvent: rows[$0].exit_event, flags: rows[$0].flags)
        }
    }()

    /// Calls that only 32-bit callers have, by their number in an `InterestSet`.
    public static let ia32Calls: [(number: Int, name: String, sc: UInt16)] = {
        var count: UInt32 = 0
        let rows = probe_ia32_rows(&count)!
        return (0..<Int(count)).map { (Int(rows[$0].number), String(cString: rows[$0].name), rows[$0].ppm_sc) }
    }()

    /// Portable system call codes, indexed by code (a hole has an empty name).
    public static let systemCallCodes: [SystemCallCode] = {
        var count: UInt32 = 0
        let rows = probe_sc_rows(&count)!
        var table: [SystemCallCode] = []
        for index in 0..<Int(count) {
            let row = rows[index]
            while table.count < Int(row.code) {
                table.append(.init(code: UInt16(table.count), name: "", isGeneric: false, event: 0))
            }
            table.append(
                .init(code: row.code, name: String(cString: row.name), isGeneric: row.generic != 0, event: row.event))
        }
        return table
    }()

    /// Event codes that carry `name` (enter and exit, old versions too); for a generic system call the generic pair.
    /// Nil for a name nobody knows.
    public static func codes(named name: String) -> [UInt16]? { codesByName[name] }
    private static let codesByName: [String: [UInt16]] = {
        var table: [String: [UInt16]] = [:]
        for event in events { table[event.name, default: []].append(event.code) }
        for call in systemCallCodes where call.isGeneric && !call.name.isEmpty && table[call.name] == nil {
            table[call.name] = [UInt16(PPME_GENERIC_E.rawValue), UInt16(PPME_GENERIC_X.rawValue)]
        }
        return table
    }()

    private static let flags: (names: [String], tables: [[FlagName]], index: [String: Int]) = {
        var count: UInt32 = 0
        let rows = probe_flag_rows(&count)!
        var names: [String] = []
        var tables: [[FlagName]] = []
        var index: [String: Int] = [:]
        for row in 0..<Int(count) {
            let table = String(cString: rows[row].table)
            if index[table] == nil {
                index[table] = names.count
                names.append(table)
                tables.append([])
            }
            tables[index[table]!].append(FlagName(name: String(cString: rows[row].name), value: rows[row].value))
        }
        return (names, tables, index)
    }()

    private static let dynamics: (names: [String], sets: [[(type: ParameterType, format: PrintFormat)]]) = {
        var count: UInt32 = 0
        let rows = probe_dynamic_rows(&count)!
        var names: [String] = []
        var sets: [[(type: ParameterType, format: PrintFormat)]] = []
        for row in 0..<Int(count) {
            let name = String(cString: rows[row].set)
            if names.last != name {
                names.append(name)
                sets.append([])
            }
            sets[sets.count - 1].append(
                (ParameterType.byName[String(cString: rows[row].type)]!, PrintFormat.byName[String(cString: rows[row].format)]!)
            )
        }
        return (names, sets)
    }()

    private static func parse(_ text: String) -> [ParameterInfo] {
        text.split(separator: " ").map { word in
            let parts = word.split(separator: ":").map(String.init)
            var flagTable = -1
            var dirfd = -1
            var dynamic = -1
            if parts.count > 3 {
                let rest = String(parts[3].dropFirst())
                switch parts[3].first {
                case "=": flagTable = flags.index[rest]!
                case "@": dirfd = Int(rest)!
                default: dynamic = dynamics.names.firstIndex(of: rest)!
                }
            }
            guard let type = ParameterType.byName[parts[1]], let format = PrintFormat.byName[parts[2]] else {
                preconditionFailure("events.def: bad parameter '\(word)'")
            }
            return ParameterInfo(
                name: parts[0], type: type, format: format, flagTable: flagTable, dirfdParameter: dirfd, dynamicSet: dynamic)
        }
    }
}

/// Shorthand for the `PPME_…` constants, which import as a C enum: `Event.openX == code`.
@inline(__always)
public func ~= (pattern: ppm_event_code, code: UInt16) -> Bool { UInt32(code) == pattern.rawValue }

extension ppm_event_code {
    @inline(__always) public var code: UInt16 { UInt16(truncatingIfNeeded: rawValue) }
}

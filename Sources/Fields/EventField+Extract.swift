// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState

extension EventField {
    static func extract(
        _ field: EventField, _ reference: FieldSelector, context: borrowing EventContext, state: SystemState,
        scratch: inout ExtractionScratch
    ) -> FieldValue {
        let event = context.event
        switch field {
        case .type: return .bytes(typeName(event))
        case .num: return .uint(context.number)
        case .cpu: return .int(Int64(Int16(bitPattern: event.cpu)))
        case .direction: return .bytes(event.isEnter ? Bytes(">") : Bytes("<"))
        case .typeIs:
            if let code = reference.number { return .uint(Int64(event.type) == code ? 1 : 0) }
            return .uint(reference.key.map { typeName(event) == $0 } == true ? 1 : 0)
        case .syscallType:
            return EventTable.categoryByCode[Int(event.type)] & EventCategory.syscallBit != 0 ? .bytes(typeName(event)) : .none
        case .category: return .bytes(Bytes(EventCategory.word(EventTable.categoryByCode[Int(event.type)], context: context)))

        case .time, .timeSeconds, .timeISO8601, .dateTime, .dateTimeSeconds, .outputTime:
            return timeText(field, event.timestampNs, &scratch)
        case .rawTime: return .uint(event.timestampNs)
        case .rawTimeSeconds: return .uint(event.timestampNs / second)
        case .rawTimeNanoseconds: return .uint(event.timestampNs % second)
        case .relativeTime: return .uint(elapsed(event.timestampNs, since: context.firstTimestampNs))
        case .relativeTimeSeconds: return .uint(elapsed(event.timestampNs, since: context.firstTimestampNs) / second)
        case .relativeTimeNanoseconds: return .uint(elapsed(event.timestampNs, since: context.firstTimestampNs) % second)
        case .deltaTime: return .uint(elapsed(event.timestampNs, since: context.previousTimestampNs))
        case .deltaTimeSeconds: return .uint(elapsed(event.timestampNs, since: context.previousTimestampNs) / second)
        case .deltaTimeNanoseconds: return .uint(elapsed(event.timestampNs, since: context.previousTimestampNs) % second)
        // Calls are reported at their end only, so nobody knows when they began.
        case .latency, .latencySeconds, .latencyNanoseconds, .latencyQuantized, .waitLatency: return .uint(0)
        case .latencyHuman: return .bytes(Bytes("0ns"))

        case .source: return event.type == PPME_PLUGINEVENT_E.code ? .none : .bytes(Bytes("syscall"))
        case .isAsync: return .bool(event.type == PPME_ASYNCEVENT_E.code)
        case .asyncType:
            guard event.type == PPME_ASYNCEVENT_E.code, let name = event.text(1) else { return .none }
            return .bytes(name)
        // Plugins answer these themselves.
        case .pluginName, .pluginInfo: return .none
        case .infraName, .infraContainerID, .infraContainerName, .infraContainerImage: return runtimeNotice(field, event)
        case .hostname: return hostname(state, &scratch)

        case .arguments, .info: return .bytes(ArgumentText.all(context: context, state: state, scratch: &scratch))
        case .argument:
            guard let index = argumentIndex(reference, event) else { return .none }
            return ArgumentText.one(index, context: context, state: state, scratch: &scratch)
        case .rawArgument: return rawArgument(reference, event)
        case .absolutePath: return absolutePath(reference, context: context, state: state, scratch: &scratch)

        case .buffer:
            guard let index = WireNames.shared.index(ofName: dataName, in: event.type), let data = event.parameter(index) else {
                return .none
            }
            return .bytes(data)
        case .bufferLength, .bufferLengthIn, .bufferLengthOut, .bufferLengthFile, .bufferLengthFileIn, .bufferLengthFileOut,
            .bufferLengthNet, .bufferLengthNetIn, .bufferLengthNetOut:
            return bufferLength(field, context: context)

        case .result:
            guard let value = returned(event) else { return .none }
            if value >= 0 { return .bytes(Bytes("SUCCESS")) }
            if let name = LinuxNames.error(0 &- value) { return .bytes(Bytes(name)) }
            scratch.begin()
            scratch.append(signed: value)
            return .bytes(scratch.finish())
        case .rawResult: return returned(event).map { .int($0) } ?? .none
        case .failed: return returned(event).map { .bool($0 < 0) } ?? .none

        case .isIO: return .bool(has(EF_READS_FROM_FD, event) || has(EF_WRITES_TO_FD, event))
        case .isIORead: return .bool(has(EF_READS_FROM_FD, event))
        case .isIOWrite: return .bool(has(EF_WRITES_TO_FD, event))
        case .ioDirection:
            // What does both, like copy_file_range, counts as a write.
            if has(EF_WRITES_TO_FD, event) { return .bytes(Bytes("write")) }
            return has(EF_READS_FROM_FD, event) ? .bytes(Bytes("read")) : .none
        case .isWait: return .bool(has(EF_WAITS, event))
        case .isSyslog:
            guard has(EF_WRITES_TO_FD, event) else { return .bool(false) }
            guard context.hasDescriptor else { return .bool(false) }
            return .bool(state.pool[context.descriptor.name].contains(Bytes("/dev/log")))

        case .count: return .uint(1)
        case .countExit: return isExit(event) ? .uint(1) : .none
        case .countError, .countErrorFile, .countErrorNet, .countErrorMemory, .countErrorOther:
            return countError(field, context: context)
        case .countProcinfo:
            let slot = context.thread
            let isMain = slot.exists && state[slot].isMain
            return .uint(event.type == PPME_PROCINFO_E.code && isMain ? 1 : 0)
        case .countThreadinfo: return .uint(event.type == PPME_PROCINFO_E.code ? 1 : 0)
        case .around:
            // The distance in milliseconds, rounded up: the check compares it with `<=` whatever equality sign is written.
            let asked = UInt64(bitPattern: reference.number ?? 0)
            let distance = event.timestampNs > asked ? event.timestampNs - asked : asked - event.timestampNs
            return .uint(distance / 1_000_000 + (distance % 1_000_000 == 0 ? 0 : 1))

        case .isOpenRead, .isOpenWrite, .isOpenExec, .isOpenCreate: return .bool(isOpen(field, event))
        }
    }

    private static let second: UInt64 = 1_000_000_000
    private static let dataName = WireNames.shared.numberOfName["data"]!

    // MARK: type and result

    /// System calls that only have a number are known by their own name.
    @inline(__always)
    static func typeName(_ event: EventView) -> Bytes {
        // An asynchronous event brings its own name.
        if event.type == PPME_ASYNCEVENT_E.code, let name = event.text(1), !name.isEmpty { return name }
        guard event.type <= 1, let code = event.integer(0, signed: false) else { return WireNames.shared.event(event.type) }
        // Captures of a program that did not know the call yet tell the machine's number only.
        if code == 0, let number = event.integer(1, signed: false), let name = WireNames.shared.nativeCall(number) { return name }
        return WireNames.shared.systemCall(UInt16(truncatingIfNeeded: code)) ?? WireNames.shared.event(event.type)
    }

    @inline(__always)
    private static func has(_ flag: ppm_event_flags, _ event: EventView) -> Bool { event.flags & UInt16(flag.rawValue) != 0 }
    @inline(__always)
    private static func isExit(_ event: EventView) -> Bool { event.type & 1 == 1 }

    /// What the call returned: the first parameter of an exit event, whatever it is called. Nil for other events and for calls
    /// that are known by number only.
    static func returned(_ event: EventView) -> Int64? {
        guard event.type > 1, isExit(event), EventTable.categoryByCode[Int(event.type)] & EventCategory.syscallBit != 0 else {
            return nil
        }
        return event.integer(0)
    }

    private static func elapsed(_ now: UInt64, since start: UInt64) -> UInt64 { start == 0 || now < start ? 0 : now - start }

    private static func timeText(_ field: EventField, _ timestampNs: UInt64, _ scratch: inout ExtractionScratch) -> FieldValue {
        scratch.begin()
        switch field {
        case .timeSeconds: scratch.append(time: timestampNs, .timeOfDay, withNanoseconds: false)
        case .timeISO8601: scratch.append(time: timestampNs, .iso8601, withNanoseconds: true)
        case .dateTime: scratch.append(time: timestampNs, .dateAndTime, withNanoseconds: true)
        case .dateTimeSeconds: scratch.append(time: timestampNs, .dateAndTime, withNanoseconds: false)
        default: scratch.append(time: timestampNs, .timeOfDay, withNanoseconds: true)
        }
        return .bytes(scratch.finish())
    }

    private static func hostname(_ state: SystemState, _ scratch: inout ExtractionScratch) -> FieldValue {
        scratch.begin()
        state.machine.hostname.withUnsafeBytes { scratch.append(Bytes($0)) }
        let name = scratch.finish()
        return name.isEmpty ? .none : .bytes(name)
    }

    // MARK: parameters

    /// `evt.arg[n]` names a place, `evt.arg.name` a parameter that this type of event may not have.
    @inline(__always)
    private static func argumentIndex(_ reference: FieldSelector, _ event: EventView) -> Int? {
        guard let number = reference.number else { return nil }
        return reference.key == nil
            ? Int(clamping: number) : WireNames.shared.index(ofName: UInt16(truncatingIfNeeded: number), in: event.type)
    }

    /// The bytes are read as the type that the field was compiled with, which is that of the first event with such a parameter.
    private static func rawArgument(_ reference: FieldSelector, _ event: EventView) -> FieldValue {
        guard let index = argumentIndex(reference, event), let bytes = event.parameter(index) else { return .none }
        var type = reference.type
        // Another event's parameter of that name may be a number where the first one is an address, say.
        let own = WireNames.shared.parameter(event.type, index).type
        if (type.fixedBytes == nil) != (own.fixedBytes == nil) { type = own }
        switch type {
        case .charbuf, .fspath, .fsrelpath: return bytes.isEmpty ? .none : .bytes(bytes.untilNul)
        case .bytebuf, .sockaddr, .socktuple, .fdlist, .dyn, .charbufarray, .charbufPairArray, .none, .ipv4net, .ipv6net, .ipnet:
            return bytes.isEmpty ? .none : .bytes(bytes)
        case .ipv4addr: return bytes.integer(at: 0, as: UInt32.self).map { .ipv4($0) } ?? .none
        case .ipv6addr, .ipaddr:
            if bytes.count == 4 { return bytes.integer(at: 0, as: UInt32.self).map { .ipv4($0) } ?? .none }
            guard let high: UInt64 = bytes.integer(at: 0), let low: UInt64 = bytes.integer(at: 8) else { return .none }
            return .ipv6(AddressBytes(high: high, low: low))
        case .bool: return .bool((bytes.signedInteger(signed: false) ?? 0) != 0)
        case .double:
            return bytes.integer(at: 0, as: UInt64.self).map { .double(Double(bitPattern: $0)) } ?? .none
        default:
            if bytes.isEmpty, reference.flags.contains(.printOnly) { return type.isSigned ? .int(0) : .uint(0) }
            guard let value = bytes.signedInteger(signed: type.isSigned) else { return .none }
            return type.isSigned ? .int(value) : .uint(UInt64(bitPattern: value))
        }
    }

    /// The event's first path that a directory descriptor goes with, or its second for `.dst`.
    private static func absolutePath(
        _ reference: FieldSelector, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        guard context.thread.exists else { return .none }
        let names = WireNames.shared
        let type = context.event.type
        var chosen = -1
        for index in 0..<names.parameterCount(type)
        where names.parameter(type, index).type == .fsrelpath || type == PPME_SYSCALL_OPEN_BY_HANDLE_AT_X.code && index == 3 {
            if chosen < 0 || reference.number == 2 { chosen = index }
        }
        guard chosen >= 0, let path = context.event.text(chosen) else { return .none }
        if type == PPME_SYSCALL_OPEN_BY_HANDLE_AT_X.code {
            // The kernel told the path of what was opened; there is none when nothing was.
            guard let fd = context.event.integer(0), fd > 0 else { return .none }
            return .bytes(PathText.join(.empty, path, state, &scratch))
        }
        guard let dirfd = context.event.integer(Int(names.parameter(type, chosen).dirfdParameter)) else { return .none }
        if !PathText.isAbsolute(path), state.directory(fd: dirfd, of: context.thread) == nil {
            return .bytes(PathText.join(Bytes("<UNKNOWN>/"), path, state, &scratch))
        }
        // The descriptor itself (AT_EMPTY_PATH).
        if path.isEmpty, let descriptor = state.descriptor(dirfd, of: context.thread) {
            return .bytes(state.pool[descriptor.name])
        }
        scratch.begin()
        ArgumentText.appendJoined(path, directoryOf: dirfd, context: context, state: state, to: &scratch)
        return .bytes(scratch.finish())
    }

    // MARK: counts

    private static func bufferLength(_ field: EventField, context: borrowing EventContext) -> FieldValue {
        let event = context.event
        let kind = EventTable.categoryByCode[Int(event.type)] & EventCategory.kindMask
        guard context.hasDescriptor, isExit(event), EventCategory.isIO(kind), let length = event.integer(0), length >= 0 else {
            return .none
        }
        let descriptor = context.descriptor.kind
        let isFile = descriptor == .file || descriptor == .fileV2
        let isNet = context.descriptor.isInet
        let holds =
            switch field {
            case .bufferLengthIn: kind == EventCategory.ioRead
            case .bufferLengthOut: kind == EventCategory.ioWrite
            case .bufferLengthFile: isFile
            case .bufferLengthFileIn: isFile && kind == EventCategory.ioRead
            case .bufferLengthFileOut: isFile && kind == EventCategory.ioWrite
            case .bufferLengthNet: isNet
            case .bufferLengthNetIn: isNet && kind == EventCategory.ioRead
            case .bufferLengthNetOut: isNet && kind == EventCategory.ioWrite
            default: true
            }
        return holds ? .uint(UInt64(length)) : .none
    }

    /// 1 for a call that failed, 0 for one that did not, no value where the call is not of the kind asked for: by the descriptor
    /// where there is one, else by the call. What works on memory may be about a file as well.
    private static func countError(_ field: EventField, context: borrowing EventContext) -> FieldValue {
        let event = context.event
        guard let value = returned(event) else { return .none }
        let isMemory = EventTable.categoryByCode[Int(event.type)] & EventCategory.kindMask == EventCategory.memory
        let hasDescriptor = context.hasDescriptor
        let isFile: Bool
        let isNet: Bool
        if hasDescriptor {
            let kind = context.descriptor.kind
            isFile = kind.isFile || kind == .directory
            isNet = context.descriptor.isInet || kind == .unixSocket
        } else {
            switch event.type {
            case PPME_SYSCALL_OPEN_X, PPME_SYSCALL_CREAT_X, PPME_SYSCALL_OPENAT_2_X, PPME_SYSCALL_OPENAT2_X,
                PPME_SYSCALL_OPEN_BY_HANDLE_AT_X:
                (isFile, isNet) = (true, false)
            case PPME_SOCKET_ACCEPT_5_X, PPME_SOCKET_ACCEPT4_6_X, PPME_SOCKET_CONNECT_X: (isFile, isNet) = (false, true)
            default: (isFile, isNet) = (false, false)
            }
        }
        let holds =
            switch field {
            case .countErrorFile: isFile
            case .countErrorNet: isNet
            case .countErrorMemory: isMemory
            case .countErrorOther: !isFile && !isNet && (hasDescriptor || !isMemory)
            default: true
            }
        return holds ? .uint(value < 0 ? 1 : 0) : .none
    }

    // MARK: notices of a container runtime, in old captures

    /// `Event: start; ID: 0123…; name: web; Image: nginx@sha256:…`: what stands behind the word asked for.
    private static func runtimeNotice(_ field: EventField, _ event: EventView) -> FieldValue {
        guard event.type == PPME_INFRASTRUCTURE_EVENT_E.code, var rest = event.text(2) else { return .none }
        let word: Bytes =
            switch field {
            case .infraName: Bytes("Event")
            case .infraContainerID: Bytes("ID")
            case .infraContainerName: Bytes("name")
            default: Bytes("Image")
            }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.count
            let element = rest.prefix(end).trimmed
            rest = rest.from(min(rest.count, end + 1))
            guard element.hasPrefix(word), let colon = element.firstIndex(of: UInt8(ascii: ":")) else { continue }
            var value = element.from(colon + 1)
            if field == .infraContainerImage, let at = value.firstIndex(of: UInt8(ascii: "@")) {
                value = value.prefix(at)
            } else if field != .infraContainerImage || !value.contains(Bytes("sha256")) {
                value = value.prefix(value.firstIndex(of: UInt8(ascii: ":")) ?? value.count)
            }
            value = value.trimmed
            return .bytes(field == .infraContainerID ? value.prefix(min(12, value.count)) : value)
        }
        return .none
    }

    // MARK: opening

    /// Values of the `file_flags` and `chmod_mode` tables.
    private enum OpenFlag {
        static let read: UInt32 = 1, write: UInt32 = 2, create: UInt32 = 4, temporary: UInt32 = 8192, created: UInt32 = 16384
        static let anyExecute: UInt32 = 0o111
    }

    private static func isOpen(_ field: EventField, _ event: EventView) -> Bool {
        let places: (flags: Int, mode: Int)
        switch event.type {
        case PPME_SYSCALL_OPEN_X: places = (2, 3)
        case PPME_SYSCALL_OPENAT_2_X, PPME_SYSCALL_OPENAT2_X: places = (3, 4)
        case PPME_SYSCALL_OPEN_BY_HANDLE_AT_X: places = (2, -1)
        // creat has no flags: it opens for writing and creates.
        case PPME_SYSCALL_CREAT_X: return field == .isOpenExec && (event.uint32(2) ?? 0) & OpenFlag.anyExecute != 0
        default: return false
        }
        let flags = event.uint32(places.flags) ?? 0
        switch field {
        case .isOpenRead: return flags & OpenFlag.read != 0
        case .isOpenWrite: return flags & OpenFlag.write != 0
        // A file without a name (O_TMPFILE) is made by opening it, whatever the flags say.
        case .isOpenCreate:
            return flags & OpenFlag.created != 0 || flags & OpenFlag.temporary != 0 && event.integer(0) ?? -1 >= 0
        default:
            guard flags & (OpenFlag.create | OpenFlag.temporary) != 0, places.mode >= 0 else { return false }
            return (event.uint32(places.mode) ?? 0) & OpenFlag.anyExecute != 0
        }
    }
}

extension Bytes {
    /// Without blanks at both ends.
    fileprivate var trimmed: Bytes {
        var start = 0
        var end = count
        while start < end, self[start] == UInt8(ascii: " ") { start += 1 }
        while end > start, self[end - 1] == UInt8(ascii: " ") { end -= 1 }
        return self[start..<end]
    }
}

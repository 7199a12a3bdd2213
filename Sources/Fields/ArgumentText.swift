// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// Parameters of an event as text. A parameter has a plain text (`-2`, `3`, `4097`) and often one that says what it means
/// (`ENOENT`, `<f>/etc/passwd`, `O_RDONLY|O_CLOEXEC`); `evt.arg.*` prefers the second, `evt.args` shows both.
///
/// Everything is appended to the scratch's open text; bytes of the event are untrusted, so each length is looked at.
enum ArgumentText {
    /// `name=plain(meaning) …` of all parameters, nothing for calls that are known by number only.
    static func all(context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) -> Bytes {
        let event = context.event
        let names = WireNames.shared
        scratch.begin()
        guard event.type > 1 else { return scratch.finish() }
        let count = min(event.parameterCount, names.parameterCount(event.type))
        for index in 0..<count {
            if index > 0 { scratch.append(UInt8(ascii: " ")) }
            let parameter = names.parameter(event.type, index)
            scratch.append(parameter.name)
            scratch.append(UInt8(ascii: "="))
            guard let bytes = event.parameter(index), !bytes.isEmpty else {
                appendAbsent(parameter.type, to: &scratch)
                continue
            }
            appendPlain(bytes, parameter, state: state, context: context, to: &scratch)
            scratch.append(UInt8(ascii: "("))
            let start = scratch.openCount
            appendMeaning(bytes, parameter, state: state, context: context, to: &scratch)
            if scratch.openCount == start {
                scratch.truncateOpen(to: start - 1)
            } else {
                scratch.append(UInt8(ascii: ")"))
            }
        }
        return scratch.finish()
    }

    /// One parameter, by its meaning where it has one.
    static func one(
        _ index: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let names = WireNames.shared
        guard index >= 0, index < min(context.event.parameterCount, names.parameterCount(context.event.type)) else {
            return .none
        }
        let parameter = names.parameter(context.event.type, index)
        scratch.begin()
        guard let bytes = context.event.parameter(index), !bytes.isEmpty else {
            appendAbsent(parameter.type, to: &scratch)
            return .bytes(scratch.finish())
        }
        appendMeaning(bytes, parameter, state: state, context: context, to: &scratch)
        if scratch.openCount == 0 { appendPlain(bytes, parameter, state: state, context: context, to: &scratch) }
        return .bytes(scratch.finish())
    }

    // MARK: absent

    private static func appendAbsent(_ type: ParameterType, to scratch: inout ExtractionScratch) {
        switch type {
        case .bytebuf, .socktuple, .fdlist, .charbufarray, .charbufPairArray, .dyn: scratch.append("NULL")
        default: scratch.append("<NA>")
        }
    }

    // MARK: plain

    private static func appendPlain(
        _ bytes: Bytes, _ parameter: WireNames.Parameter, state: SystemState, context: borrowing EventContext,
        to scratch: inout ExtractionScratch
    ) {
        switch parameter.type {
        case .int8, .int16, .int32, .int64:
            appendNumber(bytes, signed: true, parameter.format, to: &scratch)
        case .uint64:
            // Offsets may be negative though their type is not.
            appendNumber(bytes, signed: true, parameter.format, to: &scratch)
        case .uint32, .mode:
            // As C's `%d` writes them: the -1 of a chown that changes nothing is -1.
            appendNumber(bytes, signed: true, parameter.format, to: &scratch)
        case .uint8, .uint16, .port, .l4proto, .sockfamily:
            appendNumber(bytes, signed: false, parameter.format, to: &scratch)
        case .reltime where bytes.integer(at: 0) == UInt64.max: scratch.append("none")
        case .errno, .pid, .pid32, .fd, .fd32:
            appendNumber(bytes, signed: true, .dec, to: &scratch)
        case .flags8, .flags16, .flags32, .enumflags8, .enumflags16, .enumflags32, .syscallid, .sigtype, .reltime:
            appendNumber(bytes, signed: false, .dec, to: &scratch)
        case .abstime:
            if let value: UInt64 = bytes.integer(at: 0) { scratch.append(time: value, .dateAndTime, withNanoseconds: true) }
        case .uid, .gid:
            if bytes.signedInteger(signed: false) == Int64(UInt32.max) {
                scratch.append("-1")
            } else {
                appendNumber(bytes, signed: false, .dec, to: &scratch)
            }
        case .bool:
            scratch.append(bytes.signedInteger(signed: false) ?? 0 != 0 ? "true" : "false")
        case .double:
            // No event carries one; the bits are shown rather than nothing.
            appendNumber(bytes, signed: false, .hex, to: &scratch)
        case .charbuf, .fspath, .fsrelpath:
            scratch.append(bytes.untilNul)
        case .bytebuf:
            scratch.append(buffer: bytes)
        case .sockaddr: appendSocketAddress(bytes, to: &scratch)
        case .socktuple: appendSocketTuple(bytes, to: &scratch)
        case .fdlist: appendDescriptorList(bytes, state: state, context: context, to: &scratch)
        case .sigset: appendSignalSet(bytes, to: &scratch)
        case .ipv4addr, .ipv4net:
            if let address: UInt32 = bytes.integer(at: 0) { scratch.append(ipv4: address) }
        case .ipv6addr, .ipv6net:
            if let address = address6(bytes, at: 0) { scratch.append(ipv6: address) }
        case .ipaddr, .ipnet:
            if bytes.count == 4, let address: UInt32 = bytes.integer(at: 0) {
                scratch.append(ipv4: address)
            } else if let address = address6(bytes, at: 0) {
                scratch.append(ipv6: address)
            }
        case .charbufarray: scratch.append(words: bytes, separator: UInt8(ascii: "."))
        case .charbufPairArray: appendPairs(bytes, to: &scratch)
        case .dyn:
            guard let (value, shape) = dynamic(bytes, parameter) else { return scratch.append("INVALID DYNAMIC PARAMETER") }
            guard !value.isEmpty else { return scratch.append("NULL") }
            appendPlain(value, shape, state: state, context: context, to: &scratch)
        case .none: break
        }
    }

    private static func appendNumber(_ bytes: Bytes, signed: Bool, _ format: PrintFormat, to scratch: inout ExtractionScratch) {
        guard let value = bytes.signedInteger(signed: signed) else { return }
        // Hexadecimal and octal show the value's own width.
        let unsigned = UInt64(bitPattern: bytes.signedInteger(signed: false) ?? value)
        switch format {
        case .hex: scratch.append(unsigned: unsigned, radix: 16)
        case .oct:
            if unsigned != 0 { scratch.append(UInt8(ascii: "0")) }
            scratch.append(unsigned: unsigned, radix: 8)
        case .paddedDec:
            if signed {
                scratch.append(signed: value, minimumWidth: 9)
            } else {
                scratch.append(unsigned: unsigned, minimumDigits: 9)
            }
        case .na, .dec, .id, .dir:
            if signed { scratch.append(signed: value) } else { scratch.append(unsigned: unsigned) }
        }
    }

    /// A dynamic parameter's own bytes and what they are; nil when the alternative is not known.
    static func dynamic(_ bytes: Bytes, _ parameter: WireNames.Parameter) -> (Bytes, WireNames.Parameter)? {
        guard !bytes.isEmpty, let shape = WireNames.shared.dynamic(parameter.dynamicSet, bytes[0]), shape.type != .dyn else {
            return nil
        }
        return (bytes.from(1), shape)
    }

    private static func address6(_ bytes: Bytes, at offset: Int) -> AddressBytes? {
        guard let high: UInt64 = bytes.integer(at: offset), let low: UInt64 = bytes.integer(at: offset + 8) else { return nil }
        return AddressBytes(high: high, low: low)
    }

    private static func appendSocketAddress(_ bytes: Bytes, to scratch: inout ExtractionScratch) {
        switch bytes[0] {
        case 1:
            scratch.append(dottedControls: bytes.from(1).untilNul)
        case 2:
            guard let address: UInt32 = bytes.integer(at: 1), let port: UInt16 = bytes.integer(at: 5) else {
                return scratch.append("INVALID IPv4")
            }
            appendEnd(ipv4: address, port, to: &scratch)
        case 10:
            guard let address = address6(bytes, at: 1), let port: UInt16 = bytes.integer(at: 17) else {
                return scratch.append("INVALID IPv6")
            }
            appendEnd(ipv6: address, port, to: &scratch)
        default: appendFamily(bytes[0], to: &scratch)
        }
    }

    private static func appendSocketTuple(_ bytes: Bytes, to scratch: inout ExtractionScratch) {
        switch bytes[0] {
        case 1:
            guard let source: UInt64 = bytes.integer(at: 1), let destination: UInt64 = bytes.integer(at: 9) else { return }
            scratch.append(unsigned: source, radix: 16, lowerCase: true)
            scratch.append("->")
            scratch.append(unsigned: destination, radix: 16, lowerCase: true)
            scratch.append(UInt8(ascii: " "))
            scratch.append(dottedControls: bytes.from(17).untilNul)
        case 2:
            guard let source: UInt32 = bytes.integer(at: 1), let sourcePort: UInt16 = bytes.integer(at: 5),
                let destination: UInt32 = bytes.integer(at: 7), let destinationPort: UInt16 = bytes.integer(at: 11)
            else { return scratch.append("INVALID IPv4") }
            appendEnd(ipv4: source, sourcePort, to: &scratch)
            scratch.append("->")
            appendEnd(ipv4: destination, destinationPort, to: &scratch)
        case 10:
            guard let source = address6(bytes, at: 1), let sourcePort: UInt16 = bytes.integer(at: 17),
                let destination = address6(bytes, at: 19), let destinationPort: UInt16 = bytes.integer(at: 35)
            else { return scratch.append("INVALID IPv6") }
            if source.embedsIPv4, destination.embedsIPv4 {
                appendEnd(ipv4: UInt32(truncatingIfNeeded: source.low >> 32), sourcePort, to: &scratch)
                scratch.append("->")
                appendEnd(ipv4: UInt32(truncatingIfNeeded: destination.low >> 32), destinationPort, to: &scratch)
            } else {
                appendEnd(ipv6: source, sourcePort, to: &scratch)
                scratch.append("->")
                appendEnd(ipv6: destination, destinationPort, to: &scratch)
            }
        case 0: break
        default: appendFamily(bytes[0], to: &scratch)
        }
    }

    private static func appendFamily(_ family: UInt8, to scratch: inout ExtractionScratch) {
        scratch.append("family ")
        scratch.append(unsigned: UInt64(family))
    }
    private static func appendEnd(ipv4 address: UInt32, _ port: UInt16, to scratch: inout ExtractionScratch) {
        scratch.append(ipv4: address)
        scratch.append(UInt8(ascii: ":"))
        scratch.append(unsigned: UInt64(port))
    }
    private static func appendEnd(ipv6 address: AddressBytes, _ port: UInt16, to scratch: inout ExtractionScratch) {
        scratch.append(ipv6: address)
        scratch.append(UInt8(ascii: ":"))
        scratch.append(unsigned: UInt64(port))
    }

    /// `3:f1 4:45`: descriptor, its kind's letter (`?` unknown), event bits in hexadecimal.
    private static func appendDescriptorList(
        _ bytes: Bytes, state: SystemState, context: borrowing EventContext, to scratch: inout ExtractionScratch
    ) {
        guard let count: UInt16 = bytes.integer(at: 0) else { return }
        var at = 2
        for index in 0..<Int(count) {
            guard let fd: Int64 = bytes.integer(at: at), let events: UInt16 = bytes.integer(at: at + 8) else { return }
            if index > 0 { scratch.append(UInt8(ascii: " ")) }
            // A negative number takes no part in the poll, and is written as the bits it is.
            scratch.append(unsigned: UInt64(bitPattern: fd))
            scratch.append(UInt8(ascii: ":"))
            let known = context.thread.exists ? state.descriptor(fd, of: context.thread) : nil
            scratch.append(known.map { DescriptorText.letter($0.kind) } ?? UInt8(ascii: "?"))
            scratch.append(unsigned: UInt64(events), radix: 16, lowerCase: true)
            at += 10
        }
    }

    private static func appendSignalSet(_ bytes: Bytes, to scratch: inout ExtractionScratch) {
        guard let set = bytes.signedInteger(signed: false) else { return }
        var isFirst = true
        for signal in 1...31 where UInt64(bitPattern: set) & (1 << UInt64(signal - 1)) != 0 {
            guard let name = LinuxNames.signal(UInt8(signal)) else { continue }
            if !isFirst { scratch.append(UInt8(ascii: " ")) }
            scratch.append(name)
            isFirst = false
        }
    }

    /// Key, value, key, value … as `key:value,key:value`.
    private static func appendPairs(_ bytes: Bytes, to scratch: inout ExtractionScratch) {
        var rest = bytes
        var isKey = true
        while !rest.isEmpty {
            let word = rest.untilNul
            if isKey, rest.count < bytes.count { scratch.append(UInt8(ascii: ",")) }
            scratch.append(word)
            if isKey { scratch.append(UInt8(ascii: ":")) }
            isKey.toggle()
            rest = rest.from(min(rest.count, word.count + 1))
        }
    }

    // MARK: meaning

    private static func appendMeaning(
        _ bytes: Bytes, _ parameter: WireNames.Parameter, state: SystemState, context: borrowing EventContext,
        to scratch: inout ExtractionScratch
    ) {
        switch parameter.type {
        case .errno:
            if let value = bytes.signedInteger(signed: true), value < 0, let name = LinuxNames.error(0 &- value) {
                scratch.append(name)
            }
        case .fd, .fd32:
            if let value = bytes.signedInteger(signed: true) {
                appendDescriptor(value, state: state, context: context, to: &scratch)
            }
        case .pid, .pid32:
            guard let value = bytes.signedInteger(signed: true) else { return }
            let slot = state.slot(tid: value)
            if slot.exists { scratch.append(state.pool[state[slot].comm]) }
        case .uid:
            guard let value = bytes.signedInteger(signed: false) else { return }
            if value == Int64(UInt32.max) { return scratch.append("<NONE>") }
            scratch.append(Account.userName(UInt32(truncatingIfNeeded: value), of: context.thread, state))
        case .gid:
            guard let value = bytes.signedInteger(signed: false) else { return }
            if value == Int64(UInt32.max) { return scratch.append("<NONE>") }
            scratch.append(Account.groupName(UInt32(truncatingIfNeeded: value), of: context.thread, state))
        case .syscallid:
            if let value = bytes.signedInteger(signed: false),
                let name = WireNames.shared.systemCall(UInt16(truncatingIfNeeded: value))
            {
                scratch.append(name)
            }
        case .sigtype:
            if let value = bytes.signedInteger(signed: false), let name = LinuxNames.signal(UInt8(truncatingIfNeeded: value)) {
                scratch.append(name)
            }
        case .reltime:
            guard let value = bytes.signedInteger(signed: false), value != -1 else { return }
            scratch.append(secondsOf: UInt64(bitPattern: value))
            scratch.append(UInt8(ascii: "s"))
        case .flags8, .flags16, .flags32, .mode, .enumflags8, .enumflags16, .enumflags32:
            if let value = bytes.signedInteger(signed: false) {
                appendNames(UInt32(truncatingIfNeeded: value), parameter, to: &scratch)
            }
        case .fspath, .fsrelpath:
            appendAbsolutePath(bytes.untilNul, parameter, state: state, context: context, to: &scratch)
        case .dyn:
            guard let (value, shape) = dynamic(bytes, parameter), !value.isEmpty else { return }
            appendMeaning(value, shape, state: state, context: context, to: &scratch)
        default: break
        }
    }

    /// `<f>/etc/passwd`, `<4t>1.2.3.4:5->6.7.8.9:10`, `AT_FDCWD`, or the error that a failed call returned in place of it.
    private static func appendDescriptor(
        _ fd: Int64, state: SystemState, context: borrowing EventContext, to scratch: inout ExtractionScratch
    ) {
        if fd >= 0 {
            guard context.thread.exists else { return }
            if context.hasDescriptor, context.fd == fd {
                appendDescriptor(context.descriptor, state: state, to: &scratch)
            } else if let descriptor = state.descriptor(fd, of: context.thread) {
                appendDescriptor(descriptor, state: state, to: &scratch)
            }
        } else if fd == workingDirectoryFd {
            scratch.append("AT_FDCWD")
        } else if let name = LinuxNames.error(0 &- fd) {
            scratch.append(name)
        }
    }

    private static func appendDescriptor(
        _ descriptor: borrowing DescriptorRecord, state: SystemState, to scratch: inout ExtractionScratch
    ) {
        scratch.append(UInt8(ascii: "<"))
        scratch.append(DescriptorText.letter(descriptor.kind))
        // Before a socket is connected or bound its protocol is a guess, and not told.
        let hasProtocol = descriptor.isInet ? descriptor.hasRole : false
        if hasProtocol, let letter = DescriptorText.protocolLetter(descriptor.l4Protocol) { scratch.append(letter) }
        scratch.append(UInt8(ascii: ">"))
        DescriptorText.appendName(descriptor, state: state, to: &scratch)
    }

    /// Names joined by `|`. Flags: each name whose bits are all left takes them, from the first row down, and a name for 0 only
    /// stands for 0. Enumerations: every name of that very value. Modes: as flags, up to a name of the very value, which ends it.
    private static func appendNames(_ value: UInt32, _ parameter: WireNames.Parameter, to scratch: inout ExtractionScratch) {
        let names = WireNames.shared
        let table = parameter.flagTable
        let isEnumeration =
            parameter.type == .enumflags8 || parameter.type == .enumflags16 || parameter.type == .enumflags32
        var left = value
        var isFirst = true
        for index in 0..<names.flagCount(table) {
            let flag = names.flag(table, index)
            let matches: Bool
            let isWhole = parameter.type == .mode && flag.value == value
            if isEnumeration || flag.value == 0 || isWhole {
                matches = flag.value == value
            } else {
                matches = left != 0 && left & flag.value == flag.value
            }
            guard matches else { continue }
            if !isFirst { scratch.append(UInt8(ascii: "|")) }
            scratch.append(flag.name)
            isFirst = false
            if isWhole { return }
            if !isEnumeration { left &= ~flag.value }
        }
    }

    /// A relative path made absolute by the working directory or the directory that another parameter names. Nothing for a
    /// path that is absolute or empty.
    private static func appendAbsolutePath(
        _ path: Bytes, _ parameter: WireNames.Parameter, state: SystemState, context: borrowing EventContext,
        to scratch: inout ExtractionScratch
    ) {
        guard !path.isEmpty, path[0] != UInt8(ascii: "/"), context.thread.exists, !(path == "<NA>") else { return }
        if parameter.type == .fsrelpath, parameter.dirfdParameter >= 0 {
            let dirfd = context.event.integer(Int(parameter.dirfdParameter)) ?? -1
            appendJoined(path, directoryOf: dirfd, context: context, state: state, to: &scratch)
        } else {
            appendJoined(path, directoryOf: workingDirectoryFd, context: context, state: state, to: &scratch)
        }
    }

    /// AT_FDCWD
    private static let workingDirectoryFd: Int64 = -100

    /// `path` behind the directory that a descriptor stands for, normalised; the path alone where it is absolute.
    static func appendJoined(
        _ path: Bytes, directoryOf fd: Int64, context: borrowing EventContext, state: SystemState,
        to scratch: inout ExtractionScratch
    ) {
        let start = scratch.openCount
        if path.isEmpty || path[0] != UInt8(ascii: "/") { appendDirectory(fd, state: state, context: context, to: &scratch) }
        let directory = scratch.openText(from: start)
        guard let output = scratch.room(Paths.bytesMax) else { return scratch.truncateOpen(to: start) }
        let count = Paths.concatenate(directory, path, into: output)
        // The directory made way: the joined path takes its place.
        UnsafeMutablePointer(mutating: directory.base).update(from: output.baseAddress!, count: count)
        scratch.advance(by: max(0, start + count - scratch.openCount))
        scratch.truncateOpen(to: start + count)
    }

    /// The directory with its final slash, `<UNKNOWN>` for a descriptor that is not known.
    static func appendDirectory(
        _ fd: Int64, state: SystemState, context: borrowing EventContext, to scratch: inout ExtractionScratch
    ) {
        if fd == workingDirectoryFd { return scratch.append(ProcessField.workingDirectory(of: context.thread, state)) }
        guard let descriptor = state.descriptor(fd, of: context.thread) else { return scratch.append("<UNKNOWN>") }
        let name = state.pool[descriptor.name]
        scratch.append(name)
        if name.isEmpty || name[name.count - 1] != UInt8(ascii: "/") { scratch.append(UInt8(ascii: "/")) }
    }
}

extension ExtractionScratch {
    /// Control bytes become dots; other bytes, UTF-8 or not, stay.
    mutating func append(dottedControls value: Bytes) {
        guard let output = room(value.count) else { return }
        for index in 0..<value.count {
            let byte = value[index]
            output[index] = byte >= 0x20 && byte != 0x7f ? byte : UInt8(ascii: ".")
        }
        advance(by: value.count)
    }
}

extension AddressBytes {
    /// `::ffff:a.b.c.d`
    var embedsIPv4: Bool { high == 0 && low & 0xffff_ffff == 0xffff_0000 }
}

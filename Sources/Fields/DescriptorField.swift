// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState

/// Fields of the descriptor that the event acts on (`fd.*`).
public enum DescriptorField: UInt16, FieldFamily {
    case num, type, typechar, name, directory, filename
    case ip, cip, sip, lip, rip, port, cport, sport, lport, rport
    case l4proto, sockfamily, isServer, uid, containerName, containerDirectory
    case proto, cproto, sproto, lproto, rproto
    case net, cnet, snet, lnet, rnet
    case connected, nameChanged
    case cipName, sipName, lipName, ripName
    case dev, devMajor, devMinor, ino, nameRaw, types, isUpperLayer, isLowerLayer

    public static let number = FieldFamilies.descriptor

    private static let bothEnds: FieldFlags = [.filterOnly, .noRightSide, .noTransformer, .anyOf]
    private static let network: FieldFlags = [.filterOnly, .noRightSide, .noTransformer]
    private static let host: FieldFlags = [.noRightSide, .noTransformer, .anyOf]

    public static let classes: [FieldClassRows<DescriptorField>] = [
        FieldClassRows(
            "fd", "The file, socket or other descriptor that a system call creates, uses or closes.",
            rows: [
                .init(.num, "fd.num", .int64, .id, "Number of the descriptor in the calling process."),
                .init(
                    .type, "fd.type", .charbuf, .dec,
                    "Kind of the descriptor in a word, such as 'file', 'ipv4', 'unix' or 'pipe'."),
                .init(
                    .typechar, "fd.typechar", .charbuf, .dec,
                    "Kind of the descriptor in one character, such as 'f', '4', 'u' or 'p'."),
                .init(.name, "fd.name", .charbuf, "Absolute path of a file, or addresses and ports of a socket."),
                .init(.directory, "fd.directory", .charbuf, "Directory of a file; a directory itself."),
                .init(.filename, "fd.filename", .charbuf, "Last component of a file's path."),
                .init(.ip, "fd.ip", .ipaddr, .na, bothEnds, "Address of either end of a connection."),
                .init(.cip, "fd.cip", .ipaddr, "Address of the end that connected."),
                .init(.sip, "fd.sip", .ipaddr, "Address of the end that accepts or was connected to."),
                .init(.lip, "fd.lip", .ipaddr, "Address of this machine's end."),
                .init(.rip, "fd.rip", .ipaddr, "Address of the other machine's end."),
                .init(.port, "fd.port", .port, .dec, bothEnds, "Port of either end of a connection."),
                .init(.cport, "fd.cport", .port, .dec, "Port of the end that connected."),
                .init(.sport, "fd.sport", .port, .dec, "Port of the end that accepts or was connected to."),
                .init(.lport, "fd.lport", .port, .dec, "Port of this machine's end."),
                .init(.rport, "fd.rport", .port, .dec, "Port of the other machine's end."),
                .init(.l4proto, "fd.l4proto", .charbuf, "Transport of an IP socket: 'tcp', 'udp', 'icmp' or 'raw'."),
                .init(.sockfamily, "fd.sockfamily", .charbuf, "Family of a socket: 'ip' or 'unix'."),
                .init(.isServer, "fd.is_server", .bool, "Whether this machine is the end that was connected to."),
                .init(.uid, "fd.uid", .charbuf, "Thread id and descriptor number, one behind the other."),
                .init(.containerName, "fd.containername", .charbuf, "Container id, ':' and the descriptor's name."),
                .init(.containerDirectory, "fd.containerdirectory", .charbuf, "Container id, ':' and the file's directory."),
                .init(.proto, "fd.proto", .port, .na, bothEnds, "Service of either end, by its port."),
                .init(.cproto, "fd.cproto", .charbuf, "Port of the end that connected, as text."),
                .init(.sproto, "fd.sproto", .charbuf, "Port of the end that was connected to, as text."),
                .init(.lproto, "fd.lproto", .charbuf, "Port of this machine's end, as text."),
                .init(.rproto, "fd.rproto", .charbuf, "Port of the other machine's end, as text."),
                .init(.net, "fd.net", .ipnet, .na, bothEnds, "Network that holds either end's address."),
                .init(.cnet, "fd.cnet", .ipnet, .na, network, "Network that holds the address of the end that connected."),
                .init(.snet, "fd.snet", .ipnet, .na, network, "Network that holds the address of the end that was connected to."),
                .init(.lnet, "fd.lnet", .ipnet, .na, network, "Network that holds the address of this machine's end."),
                .init(.rnet, "fd.rnet", .ipnet, .na, network, "Network that holds the address of the other machine's end."),
                .init(.connected, "fd.connected", .bool, "Whether the socket is connected."),
                .init(.nameChanged, "fd.name_changed", .bool, "Whether this event gave the descriptor another name."),
                .init(
                    .cipName, "fd.cip.name", .charbuf, .na, host,
                    "Host name of the end that connected, of the names that rules compare with it."),
                .init(
                    .sipName, "fd.sip.name", .charbuf, .na, host,
                    "Host name of the end that was connected to, of the names that rules ask for."),
                .init(
                    .lipName, "fd.lip.name", .charbuf, .na, host,
                    "Host name of this machine's end, of the names that rules ask for."),
                .init(
                    .ripName, "fd.rip.name", .charbuf, .na, host,
                    "Host name of the other machine's end, of the names that rules ask for."),
                .init(.dev, "fd.dev", .int32, .hex, "Device that holds the file."),
                .init(.devMajor, "fd.dev.major", .int32, .dec, "Major number of the device that holds the file."),
                .init(.devMinor, "fd.dev.minor", .int32, .dec, "Minor number of the device that holds the file."),
                .init(.ino, "fd.ino", .int64, .dec, "Inode number of the file."),
                .init(.nameRaw, "fd.nameraw", .charbuf, "Path as the caller wrote it, not made absolute."),
                .init(
                    .types, "fd.types", .charbuf, .dec, [.argumentOptional, .argumentIndex, .list, .noRightSide],
                    "Kinds of all descriptors that the process holds; with a number, the kind of that one."),
                .init(
                    .isUpperLayer, "fd.is_upper_layer", .bool,
                    "Whether the file lies in the upper layer of an overlay file system."),
                .init(
                    .isLowerLayer, "fd.is_lower_layer", .bool, "Whether the file lies in a lower layer of an overlay file system."
                ),
            ])
    ]

    /// Exhaustive on purpose: a field without an extraction does not compile. Only events that make, use or close a descriptor
    /// have values.
    static func extract(
        _ field: DescriptorField, _ reference: FieldSelector, context: borrowing EventContext, state: SystemState,
        scratch: inout ExtractionScratch
    ) -> FieldValue {
        let acting = UInt16(EF_CREATES_FD.rawValue | EF_USES_FD.rawValue | EF_DESTROYS_FD.rawValue)
        guard context.event.flags & acting != 0, context.thread.exists else { return .none }
        switch field {
        case .num:
            return .int(number(context))
        case .uid:
            scratch.begin()
            scratch.append(signed: state[context.thread].tid)
            scratch.append(signed: number(context))
            return .bytes(scratch.finish())
        case .types:
            return kinds(reference, context: context, state: state, scratch: &scratch)
        case .cipName, .sipName, .lipName, .ripName:
            return hostNames(field, isAnyOf: reference.flags.contains(.anyOf), context, state, &scratch)
        case .name, .containerName, .directory, .containerDirectory, .filename, .nameRaw, .typechar:
            guard context.hasDescriptor else {
                return UnopenedDescriptor.extract(field, context: context, state: state, scratch: &scratch)
            }
        default:
            guard context.hasDescriptor else { return .none }
        }

        let descriptor = context.descriptor
        switch field {
        case .num, .uid, .types, .cipName, .sipName, .lipName, .ripName:
            return .none  // answered above
        case .type:
            return descriptor.kind.word.map { .bytes($0) } ?? .none
        case .typechar:
            return .bytes(letter(descriptor.kind, &scratch))
        case .name, .containerName:
            let name = name(descriptor, state, &scratch)
            return .bytes(field == .name ? name : inContainer(name, context: context, state: state, scratch: &scratch))
        case .directory, .containerDirectory:
            guard descriptor.kind.isFile || descriptor.kind == .directory else { return .none }
            var name = state.pool[descriptor.name]
            if descriptor.kind.isFile { name = directory(of: name) }
            return .bytes(field == .directory ? name : inContainer(name, context: context, state: state, scratch: &scratch))
        case .filename:
            guard descriptor.kind.isFile else { return .none }
            let name = state.pool[descriptor.name]
            guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return .bytes(Bytes("/")) }
            return .bytes(slash < name.count - 1 ? name.from(slash + 1) : name)
        case .nameRaw:
            // Only a call that was seen told what its caller wrote; other kinds have no path.
            guard descriptor.kind.isFile || descriptor.kind == .directory, !descriptor.flags.contains(.fromScan) else {
                return .bytes(.empty)
            }
            return .bytes(withoutRepeatedSlashes(state.pool[descriptor.rawName], &scratch))
        case .ip, .net:
            return bothAddresses(descriptor, &scratch)
        case .port, .proto:
            return bothPorts(descriptor, &scratch)
        case .cip, .cnet:
            return descriptor.isConnection && descriptor.hasRole ? descriptor.address(descriptor.source) : .none
        case .sip, .snet:
            guard descriptor.isInet else { return .none }
            if descriptor.isServer { return descriptor.address(descriptor.serverAddress) }
            return descriptor.hasRole ? descriptor.address(descriptor.destination) : .none
        case .lip, .lnet:
            return near(descriptor, state) { $0 ? $1.address($1.source) : $1.address($1.destination) }
        case .rip, .rnet:
            return near(descriptor, state) { $0 ? $1.address($1.destination) : $1.address($1.source) }
        case .cport, .sport, .lport, .rport:
            return portNumber(field, descriptor, state).map { .uint(UInt64($0)) } ?? .none
        case .cproto, .sproto, .lproto, .rproto:
            let numeric: DescriptorField =
                field == .cproto ? .cport : field == .sproto ? .sport : field == .lproto ? .lport : .rport
            guard let port = portNumber(numeric, descriptor, state) else { return .none }
            scratch.begin()
            scratch.append(unsigned: UInt64(port))
            return .bytes(scratch.finish())
        case .l4proto:
            guard descriptor.isServer || (descriptor.isConnection && descriptor.hasRole) else { return .bytes(Bytes("<NA>")) }
            switch descriptor.l4Protocol {
            case 2: return .bytes(Bytes("tcp"))
            case 3: return .bytes(Bytes("udp"))
            case 4: return .bytes(Bytes("icmp"))
            case 5: return .bytes(Bytes("raw"))
            default: return .bytes(Bytes("<NA>"))
            }
        case .sockfamily:
            if descriptor.isInet { return .bytes(Bytes("ip")) }
            return descriptor.kind == .unixSocket ? .bytes(Bytes("unix")) : .none
        case .isServer:
            if descriptor.isServer { return .bool(true) }
            guard descriptor.isConnection else { return .bool(false) }
            // A socket without addresses: `::` counts as ours, 0.0.0.0 does not.
            if descriptor.isIPv6, descriptor.destination.isZero { return .bool(true) }
            return .bool(state.isLocalAddress(descriptor.destination, isIPv6: descriptor.isIPv6))
        case .connected:
            return .bool(descriptor.flags.contains(.connected))
        case .nameChanged:
            return .bool(descriptor.flags.contains(.nameChanged))
        case .dev:
            return .int(Int64(Int32(bitPattern: descriptor.device)))
        case .devMajor:
            return .int(Int64((descriptor.device & 0xfff00) >> 8))
        case .devMinor:
            return .int(Int64((descriptor.device & 0xff) | ((descriptor.device >> 12) & 0xfff00)))
        case .ino:
            return .int(Int64(bitPattern: descriptor.inode))
        case .isUpperLayer:
            return .bool(descriptor.flags.contains(.upperLayer))
        case .isLowerLayer:
            return .bool(descriptor.flags.contains(.lowerLayer))
        }
    }

    /// -1 where a call made none, whatever the error.
    private static func number(_ context: borrowing EventContext) -> Int64 {
        guard let fd = context.fd else { return -1 }
        let isMade = context.event.flags & UInt16(EF_CREATES_FD.rawValue) != 0
        return fd < 0 && isMade ? -1 : fd
    }

    private static func name(_ descriptor: DescriptorRecord, _ state: SystemState, _ scratch: inout ExtractionScratch) -> Bytes {
        if !descriptor.name.isEmpty { return state.pool[descriptor.name] }
        scratch.begin()
        DescriptorText.appendName(descriptor, state: state, to: &scratch)
        return scratch.finish()
    }

    private static func letter(_ kind: DescriptorKind, _ scratch: inout ExtractionScratch) -> Bytes {
        scratch.begin()
        scratch.append(DescriptorText.letter(kind))
        return scratch.finish()
    }

    /// Everything before the last `/`; `/` when there is none, the whole when it ends there.
    static func directory(of path: Bytes) -> Bytes {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")), slash != 0 else { return Bytes("/") }
        return slash < path.count - 1 ? path.prefix(slash) : path
    }

    /// `id:name`; a process of the host has no id here.
    static func inContainer(
        _ name: Bytes, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> Bytes {
        let id = state.containerID(of: context.thread)
        scratch.begin()
        if !(id == "host") { scratch.append(id) }
        scratch.append(UInt8(ascii: ":"))
        scratch.append(name)
        return scratch.finish()
    }

    static func withoutRepeatedSlashes(_ path: Bytes, _ scratch: inout ExtractionScratch) -> Bytes {
        guard path.contains(Bytes("//")) else { return path }
        scratch.begin()
        for index in 0..<path.count where !(index > 0 && path[index] == UInt8(ascii: "/") && path[index - 1] == UInt8(ascii: "/"))
        {
            scratch.append(path[index])
        }
        return scratch.finish()
    }

    private static func bothAddresses(_ descriptor: DescriptorRecord, _ scratch: inout ExtractionScratch) -> FieldValue {
        let start = scratch.listCount
        if descriptor.isServer {
            scratch.push(descriptor.address(descriptor.serverAddress))
        } else if descriptor.isConnection {
            scratch.push(descriptor.address(descriptor.source))
            scratch.push(descriptor.address(descriptor.destination))
        }
        return scratch.listCount == start ? .none : .list(start: start, count: scratch.listCount - start)
    }

    private static func bothPorts(_ descriptor: DescriptorRecord, _ scratch: inout ExtractionScratch) -> FieldValue {
        let start = scratch.listCount
        if descriptor.isServer {
            scratch.push(.uint(UInt64(descriptor.serverPort)))
        } else if descriptor.isConnection {
            scratch.push(.uint(UInt64(descriptor.sourcePort)))
            scratch.push(.uint(UInt64(descriptor.destinationPort)))
        }
        return scratch.listCount == start ? .none : .list(start: start, count: scratch.listCount - start)
    }

    /// The end that connected is this machine's when its address is one of ours.
    private static func near(
        _ descriptor: DescriptorRecord, _ state: SystemState, _ pick: (Bool, DescriptorRecord) -> FieldValue
    ) -> FieldValue {
        guard descriptor.isConnection, descriptor.hasRole else { return .none }
        return pick(state.isLocalAddress(descriptor.source, isIPv6: descriptor.isIPv6), descriptor)
    }

    /// Names of the address, all for a check, the first for an output. An address that nobody knows a name of has an empty list.
    private static func hostNames(
        _ field: DescriptorField, isAnyOf: Bool, _ context: borrowing EventContext, _ state: SystemState,
        _ scratch: inout ExtractionScratch
    ) -> FieldValue {
        guard context.hasDescriptor, let table = state.hostNames else { return .none }
        let descriptor = context.descriptor
        let address: AddressBytes
        if descriptor.isServer, field == .sipName {
            address = descriptor.serverAddress
        } else {
            guard descriptor.isConnection, descriptor.hasRole else { return .none }
            let isSource =
                switch field {
                case .cipName: true
                case .sipName: false
                default: state.isLocalAddress(descriptor.source, isIPv6: descriptor.isIPv6) == (field == .lipName)
                }
            address = isSource ? descriptor.source : descriptor.destination
        }
        let places = table.names(of: address, isIPv6: descriptor.isIPv6)
        guard isAnyOf else { return places.isEmpty ? .none : .bytes(table[places.lowerBound]) }
        let start = scratch.listCount
        for place in places { scratch.push(.bytes(table[place])) }
        return .list(start: start, count: scratch.listCount - start)
    }

    private static func portNumber(_ field: DescriptorField, _ descriptor: DescriptorRecord, _ state: SystemState) -> UInt16? {
        if descriptor.isServer { return field == .sport ? descriptor.serverPort : nil }
        guard descriptor.isConnection, descriptor.hasRole else { return nil }
        switch field {
        case .cport: return descriptor.sourcePort
        case .sport: return descriptor.destinationPort
        default:
            let sourceIsHere = state.isLocalAddress(descriptor.source, isIPv6: descriptor.isIPv6)
            return sourceIsHere == (field == .lport) ? descriptor.sourcePort : descriptor.destinationPort
        }
    }

    /// `fd.types`: each kind once, in the order of the alphabet.
    private static func kinds(
        _ reference: FieldSelector, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let start = scratch.listCount
        if let number = reference.number {
            guard let word = state.descriptor(number, of: context.thread)?.kind.word else { return .none }
            scratch.push(.bytes(word))
        } else {
            var seen: UInt32 = 0
            state.forEachDescriptor(of: context.thread) { _, record in seen |= 1 << UInt32(record.kind.rawValue) }
            for group in DescriptorKind.byWord where seen & group.kinds != 0 { scratch.push(.bytes(group.word)) }
        }
        return .list(start: start, count: scratch.listCount - start)
    }
}

extension FieldDefinition {
    /// Compared with names of hosts, which somebody has to look up.
    public var isHostName: Bool {
        [DescriptorField.cipName, .sipName, .lipName, .ripName].contains { DescriptorField.id(of: $0) == id }
    }
}

extension DescriptorKind {
    var isFile: Bool { self == .file || self == .fileV2 }

    /// As `fd.type` shows it; nil for a kind without a word.
    var word: Bytes? { DescriptorText.word(self).map { Bytes($0) } }

    /// The words in the order of the alphabet, each with the kinds it stands for (bit = raw value).
    static let byWord: ContiguousArray<(word: Bytes, kinds: UInt32)> = {
        var groups: ContiguousArray<(word: Bytes, kinds: UInt32)> = []
        for kind in allCases {
            guard let word = kind.word else { continue }
            if let index = groups.firstIndex(where: { $0.word == word }) {
                groups[index].kinds |= 1 << UInt32(kind.rawValue)
            } else {
                groups.append((word, 1 << UInt32(kind.rawValue)))
            }
        }
        groups.sort { $0.word.string < $1.word.string }
        return groups
    }()
}

extension DescriptorRecord {
    /// Both ends may be known.
    var isConnection: Bool { kind == .ipv4Socket || kind == .ipv6Socket }
    /// Bound or listening.
    var isServer: Bool { kind == .ipv4Server || kind == .ipv6Server }
    var hasRole: Bool { !flags.isDisjoint(with: [.roleClient, .roleServer]) }
    /// A bound socket has one address, kept as its source.
    var serverAddress: AddressBytes { source }
    var serverPort: UInt16 { sourcePort }

    func address(_ bytes: AddressBytes) -> FieldValue { isIPv6 ? .ipv6(bytes) : .ipv4(bytes.ipv4NetworkOrder) }
}

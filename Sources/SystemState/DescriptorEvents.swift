// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

extension SystemState {
    // MARK: open

    func applyOpen(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        let fd = event.integer(0) ?? -1
        let nameIndex: Int
        let flagsIndex: Int
        let deviceIndex: Int
        var dirfd: Int64 = -100
        switch event.type {
        case PPME_SYSCALL_OPEN_X: (nameIndex, flagsIndex, deviceIndex) = (1, 2, 4)
        case PPME_SYSCALL_CREAT_X: (nameIndex, flagsIndex, deviceIndex) = (1, -1, 3)
        case PPME_SYSCALL_OPENAT_2_X:
            (nameIndex, flagsIndex, deviceIndex) = (2, 3, 5)
            dirfd = event.integer(1) ?? -100
        case PPME_SYSCALL_OPENAT2_X:
            (nameIndex, flagsIndex, deviceIndex) = (2, 3, 6)
            dirfd = event.integer(1) ?? -100
        default: (nameIndex, flagsIndex, deviceIndex) = (3, 2, 4)  // open_by_handle_at
        }
        var name = event.text(nameIndex) ?? .empty
        let enter = takeEnter(event, slot)
        if !enter.isEmpty {
            name = pool[enter]
            context.enterPath = enter
        }
        guard fd >= 0 else { return }
        let flags = flagsIndex >= 0 ? event.uint32(flagsIndex) ?? 0 : 0
        var record = DescriptorRecord()
        record.kind = flags & OpenFlag.directory != 0 ? .directory : .file
        record.openFlags = flags
        if flags & OpenFlag.closeOnExec != 0 { record.flags.insert(.closeOnExec) }
        var layers = flags
        if case PPME_SYSCALL_CREAT_X = event.type { layers = creatLayers(event.uint32(5) ?? 0) }
        if layers & OpenFlag.upperLayer != 0 { record.flags.formUnion([.upperLayer, .overlayKnown]) }
        if layers & OpenFlag.lowerLayer != 0 { record.flags.formUnion([.lowerLayer, .overlayKnown]) }
        record.device = event.uint32(deviceIndex) ?? 0
        record.inode = event.unsigned(deviceIndex + 1) ?? 0
        record.rawName = pool.internSpare(name)
        if case PPME_SYSCALL_OPEN_BY_HANDLE_AT_X = event.type, name.isEmpty || name == "<NA>" {
            record.name = unnamed  // the kernel could not tell the path
        } else {
            record.name = pool.intern(joined(Paths.concatenate(pathDirectory(dirfd, name, slot), name, into: pathBuffer)))
        }
        takeKernelPath(slot, &record)
        add(record, fd, slot, &context)
    }

    /// creat_flags: 1 upper layer, 2 lower layer.
    private func creatLayers(_ flags: UInt32) -> UInt32 {
        (flags & 1 != 0 ? OpenFlag.upperLayer : 0) | (flags & 2 != 0 ? OpenFlag.lowerLayer : 0)
    }

    /// What stands before a relative name: cwd, the directory's name with a `/`, or `<UNKNOWN>` as in Falco.
    /// The bytes may lie in `textBuffer`: used before the next call.
    func pathDirectory(_ dirfd: Int64, _ name: Bytes, _ slot: ThreadSlot) -> Bytes {
        if name.hasPrefix("/") { return .empty }
        if dirfd == -100 { return cwd(of: slot) }
        guard let found = descriptor(dirfd, of: slot) else { return staticBytes("<UNKNOWN>") }
        let directory = pool[found.name].prefix(4000)
        if directory.isEmpty || directory[directory.count - 1] == UInt8(ascii: "/") { return directory }
        let buffer = textBuffer.baseAddress!
        buffer.update(from: directory.base, count: directory.count)
        buffer[directory.count] = UInt8(ascii: "/")
        return Bytes(base: UnsafePointer(buffer), count: directory.count + 1)
    }

    func add(_ record: DescriptorRecord, _ fd: Int64, _ slot: ThreadSlot, _ context: inout EventContext) {
        descriptors.set(table(of: slot), fd, record)
        context.fd = fd
        context.descriptor = record
        context.hasDescriptor = true
    }

    // MARK: the rest

    func applyDescriptorEvent(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        switch event.type {
        case PPME_SYSCALL_CLOSE_X: break  // removed by retire
        case PPME_SYSCALL_CLOSE_RANGE_X: applyCloseRange(event, slot)
        case PPME_SOCKET_SOCKET_X: applySocket(event, slot, &context)
        case PPME_SOCKET_SOCKETPAIR_X: applySocketPair(event, slot, &context)
        case PPME_SOCKET_BIND_X: applyBind(event, slot, &context)
        case PPME_SOCKET_CONNECT_X: applyConnect(event, slot, &context)
        case PPME_SOCKET_ACCEPT_5_X, PPME_SOCKET_ACCEPT4_6_X: applyAccept(event, slot, &context)
        case PPME_SOCKET_SENDTO_X: applyTuple(event, slot, parameter: 4, isReceive: false, &context)
        case PPME_SOCKET_SENDMSG_X: applyTuple(event, slot, parameter: 4, isReceive: false, &context)
        case PPME_SOCKET_SENDMMSG_X: applyTuple(event, slot, parameter: 4, isReceive: false, &context)
        case PPME_SOCKET_RECVFROM_X: applyTuple(event, slot, parameter: 2, isReceive: true, &context)
        case PPME_SOCKET_RECVMSG_X:
            applyTuple(event, slot, parameter: 3, isReceive: true, &context)
            applyReceived(event, slot, control: 4)
        case PPME_SOCKET_RECVMMSG_X:
            applyTuple(event, slot, parameter: 4, isReceive: true, &context)
            applyReceived(event, slot, control: 5)
        case PPME_SOCKET_GETSOCKOPT_X: applySocketError(event, slot, &context)
        case PPME_SYSCALL_DUP_1_X, PPME_SYSCALL_DUP2_X, PPME_SYSCALL_DUP3_X: applyDuplicate(event, slot, &context)
        case PPME_SYSCALL_FCNTL_X: applyFcntl(event, slot, &context)
        case PPME_SYSCALL_PIPE_X, PPME_SYSCALL_PIPE2_X: applyPipe(event, slot, &context)
        case PPME_SYSCALL_EVENTFD_X: addPlain(event, slot, .eventfd, &context)
        case PPME_SYSCALL_EVENTFD2_X: addPlain(event, slot, .eventfd, &context, closes: flag(event, 1, OpenFlag.closeOnExec))
        case PPME_SYSCALL_SIGNALFD_X: addPlain(event, slot, .signalfd, &context)
        case PPME_SYSCALL_SIGNALFD4_X: addPlain(event, slot, .signalfd, &context, closes: flag(event, 1, OpenFlag.closeOnExec))
        case PPME_SYSCALL_TIMERFD_CREATE_X: addPlain(event, slot, .timerfd, &context)
        case PPME_SYSCALL_INOTIFY_INIT_X: addPlain(event, slot, .inotify, &context)
        case PPME_SYSCALL_INOTIFY_INIT1_X:
            addPlain(event, slot, .inotify, &context, closes: flag(event, 1, OpenFlag.closeOnExec))
        case PPME_SYSCALL_EPOLL_CREATE_X: addPlain(event, slot, .epoll, &context)
        case PPME_SYSCALL_EPOLL_CREATE1_X: addPlain(event, slot, .epoll, &context, closes: flag(event, 1, 1))
        case PPME_SYSCALL_BPF_2_X:
            // BPF_MAP_CREATE and BPF_PROG_LOAD give a descriptor; old captures do not tell the command.
            let command = event.uint32(1) ?? 0
            if command == 0 || command == 5 { addPlain(event, slot, .bpf, &context, closes: true) }
        case PPME_SYSCALL_USERFAULTFD_X:
            addPlain(event, slot, .userfaultfd, &context, closes: flag(event, 1, OpenFlag.closeOnExec))
        case PPME_SYSCALL_IO_URING_SETUP_X: addPlain(event, slot, .ioUring, &context, closes: true)
        case PPME_SYSCALL_MEMFD_CREATE_X:
            addPlain(event, slot, .memfd, &context, name: event.text(1), closes: flag(event, 2, 1))
        case PPME_SYSCALL_PIDFD_OPEN_X: applyPidfdOpen(event, slot, &context)
        case PPME_SYSCALL_PIDFD_GETFD_X: applyPidfdGet(event, slot, &context)
        default: break
        }
    }

    @inline(__always) private func flag(_ event: EventView, _ parameter: Int, _ bit: UInt32) -> Bool {
        (event.uint32(parameter) ?? 0) & bit != 0
    }

    /// `closes`: at the next exec. The kernel always makes bpf, io_uring and pidfd descriptors so; the old calls without flags never do.
    private func addPlain(
        _ event: EventView, _ slot: ThreadSlot, _ kind: DescriptorKind, _ context: inout EventContext, name: Bytes? = nil,
        closes: Bool = false
    ) {
        guard let fd = event.integer(0), fd >= 0 else { return }
        var record = DescriptorRecord()
        record.kind = kind
        if closes { record.flags.insert(.closeOnExec) }
        if let name { record.name = pool.intern(name) }
        add(record, fd, slot, &context)
    }

    private func applyPidfdOpen(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard let fd = event.integer(0), fd >= 0 else { return }
        var record = DescriptorRecord()
        record.kind = .pidfd
        record.pidfdPid = event.integer(1) ?? -1
        record.flags.insert(.closeOnExec)
        add(record, fd, slot, &context)
    }

    /// The descriptor is a copy of another process's.
    private func applyPidfdGet(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard let fd = event.integer(0), fd >= 0, let pidfd = event.integer(1), let target = event.integer(2) else { return }
        guard let process = descriptor(pidfd, of: slot), process.kind == .pidfd,
            var record = descriptor(target, of: threads.find(process.pidfdPid))
        else { return addPlain(event, slot, .unknown, &context) }
        record.flags.insert(.closeOnExec)
        add(record, fd, slot, &context)
    }

    private func applyCloseRange(_ event: EventView, _ slot: ThreadSlot) {
        guard event.integer(0) == 0, let first = event.integer(1, signed: false), let last = event.integer(2, signed: false)
        else { return }
        let flags = event.uint32(3) ?? 0
        if flags & 2 != 0 { unshareDescriptors(slot) }  // CLOSE_RANGE_UNSHARE
        let table = table(of: slot)
        if flags & 4 != 0 {  // CLOSE_RANGE_CLOEXEC
            descriptors.forEach(table) { fd, record in
                guard fd >= first, fd <= last else { return }
                descriptors.change(table, fd) { $0.insert(.closeOnExec) }
            }
        } else {
            descriptors.removeAll(table) { fd, _ in fd >= first && fd <= last }
        }
    }

    private func applyPipe(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard event.integer(0) == 0, let first = event.integer(1), let second = event.integer(2) else { return }
        var record = DescriptorRecord()
        record.kind = .fifo
        record.inode = event.unsigned(3) ?? 0
        if case PPME_SYSCALL_PIPE2_X = event.type, let flags = event.uint32(4) {
            record.openFlags = flags
            if flags & OpenFlag.closeOnExec != 0 { record.flags.insert(.closeOnExec) }
        }
        descriptors.set(table(of: slot), first, record)
        add(record, second, slot, &context)
    }

    private func applyDuplicate(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard let result = event.integer(0), result >= 0, context.hasDescriptor else { return }
        var record = context.descriptor
        record.flags.remove(.closeOnExec)
        if case PPME_SYSCALL_DUP3_X = event.type, let flags = event.uint32(3), flags & OpenFlag.closeOnExec != 0 {
            record.flags.insert(.closeOnExec)
        }
        add(record, result, slot, &context)
    }

    private func applyFcntl(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard let result = event.integer(0), result >= 0, let command = event.integer(2, signed: false) else { return }
        switch command {
        case 1, 26:  // F_DUPFD, F_DUPFD_CLOEXEC
            guard context.hasDescriptor else { return }
            var record = context.descriptor
            record.flags.remove(.closeOnExec)
            if command == 26 { record.flags.insert(.closeOnExec) }
            add(record, result, slot, &context)
        case 3:  // F_SETFD
            guard let fd = context.fd, let argument = event.unsigned(3) else { return }
            descriptors.change(table(of: slot), fd) { flags in
                if argument & 1 != 0 { flags.insert(.closeOnExec) } else { flags.remove(.closeOnExec) }
            }
        default: break
        }
    }

    // MARK: sockets

    private func applySocket(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard let fd = event.integer(0), fd >= 0 else { return }
        let type = event.uint32(2) ?? 0
        var record = socketRecord(domain: event.uint32(1) ?? 0, type: type, protocolNumber: event.uint32(3) ?? 0)
        if type & Self.socketCloseOnExec != 0 { record.flags.insert(.closeOnExec) }
        add(record, fd, slot, &context)
    }

    private func socketRecord(domain: UInt32, type: UInt32, protocolNumber: UInt32) -> DescriptorRecord {
        var record = DescriptorRecord()
        let kind = type & 0xff
        let raw: UInt32 = 3
        switch domain {
        case 1: record.kind = .unixSocket
        case 2, 10:
            record.kind = domain == 2 ? .ipv4Socket : .ipv6Socket
            switch protocolNumber {
            case 6: record.l4Protocol = kind == raw ? L4.raw : L4.tcp
            case 17: record.l4Protocol = kind == raw ? L4.raw : L4.udp
            case 0: record.l4Protocol = kind == 1 ? L4.tcp : kind == 2 ? L4.udp : L4.unknown
            case 1: record.l4Protocol = kind == raw ? L4.raw : L4.icmp
            case 255: record.l4Protocol = L4.raw
            default: record.l4Protocol = L4.unknown
            }
        case 16: record.kind = .netlink
        default: record.kind = .unknown
        }
        return record
    }

    /// SOCK_CLOEXEC in the type of a socket, as the caller passed it.
    private static let socketCloseOnExec: UInt32 = 0x80000

    enum L4 {
        static let unknown: UInt8 = 0
        static let tcp: UInt8 = 2, udp: UInt8 = 3, icmp: UInt8 = 4, raw: UInt8 = 5
    }

    private func applySocketPair(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard (event.integer(0) ?? -1) >= 0, let first = event.integer(1), let second = event.integer(2) else { return }
        var record = DescriptorRecord()
        record.kind = .unixSocket
        record.unixSource = event.unsigned(3) ?? 0
        record.unixDestination = event.unsigned(4) ?? 0
        record.flags.insert(.isSocketPipe)
        if flag(event, 6, Self.socketCloseOnExec) { record.flags.insert(.closeOnExec) }
        descriptors.set(table(of: slot), first, record)
        swap(&record.unixSource, &record.unixDestination)
        add(record, second, slot, &context)
    }

    private func applyBind(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard (event.integer(0) ?? -1) >= 0, context.hasDescriptor, let fd = context.fd, let address = event.parameter(1),
            !address.isEmpty
        else { return }
        var record = context.descriptor
        switch address[0] {
        case 1: record.name = pool.intern(address.from(1).untilNul)
        case 2:
            guard let ip: UInt32 = address.integer(at: 1), let port: UInt16 = address.integer(at: 5) else { return }
            if port != 0 {
                record.kind = .ipv4Server
                record.source = AddressBytes(ipv4NetworkOrder: ip)
                record.sourcePort = port
                record.flags.insert(.roleServer)
            }
            record.name = internEndpoint(record, address: AddressBytes(ipv4NetworkOrder: ip), port: port, isIPv6: false)
        case 10:
            guard let high: UInt64 = address.integer(at: 1), let low: UInt64 = address.integer(at: 9),
                let port: UInt16 = address.integer(at: 17)
            else { return }
            let ip = AddressBytes(high: high, low: low)
            if port != 0 {
                if ip.isMappedIPv4 {
                    record.kind = .ipv4Server
                    record.source = ip.unmapped
                } else {
                    record.kind = .ipv6Server
                    record.source = ip
                }
                record.sourcePort = port
                record.flags.insert(.roleServer)
            }
            record.name = internEndpoint(record, address: ip, port: port, isIPv6: true)
        default: return
        }
        add(record, fd, slot, &context)
    }

    private func applyConnect(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        let inProgress: Int64 = -115
        let enter = takeEnter(event, slot)
        guard let fd = context.fd, let result = event.integer(0), result >= 0 || result == inProgress else {
            if context.hasDescriptor, let fd = context.fd {
                context.descriptor.flags.insert(.connectFailed)
                descriptors.change(table(of: slot), fd) { $0.insert(.connectFailed) }
            }
            return
        }
        guard context.hasDescriptor, let tuple = event.parameter(1), !tuple.isEmpty else { return }
        var record = context.descriptor
        record.flags.remove([.connectFailed, .connectPending])
        record.flags.insert(result == inProgress ? .connectPending : .connected)
        setTuple(&record, tuple, swapped: false)
        correctRemoteEnd(&record, enter)
        if record.isInet {
            record.flags.insert(.roleClient)
        } else if record.kind == .unixSocket {
            record.flags.insert(.roleClient)
        }
        add(record, fd, slot, &context)
    }

    private func applyAccept(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard let fd = event.integer(0), fd >= 0, let tuple = event.parameter(1), !tuple.isEmpty else { return }
        var record = DescriptorRecord()
        switch tuple[0] {
        case 1: record.kind = .unixSocket
        case 2: record.kind = .ipv4Socket
        case 10: record.kind = .ipv6Socket
        default: return
        }
        if record.isInet { record.l4Protocol = L4.tcp }
        setTuple(&record, tuple, swapped: false)
        record.flags.formUnion([.roleServer, .connected])
        if case PPME_SOCKET_ACCEPT4_6_X = event.type, flag(event, 5, Self.socketCloseOnExec) { record.flags.insert(.closeOnExec) }
        add(record, fd, slot, &context)
    }

    /// sendto, recvfrom and their kin tell the addresses of a socket that is not connected (or whose connect was missed).
    private func applyTuple(
        _ event: EventView, _ slot: ThreadSlot, parameter: Int, isReceive: Bool, _ context: inout EventContext
    ) {
        guard let result = event.integer(0), result >= 0, let fd = context.fd, fd >= 0, let tuple = event.parameter(parameter),
            !tuple.isEmpty
        else { return }
        var record: DescriptorRecord
        if context.hasDescriptor {
            record = context.descriptor
            guard record.name.isEmpty || record.isInet && record.l4Protocol != L4.tcp else { return }
        } else {
            // Never seen before: the tuple says what it is. Without a connection it is a datagram socket.
            guard !isReceive else { return }
            record = DescriptorRecord()
            record.kind = tuple[0] == 10 ? .ipv6Socket : tuple[0] == 2 ? .ipv4Socket : .unixSocket
            record.l4Protocol = tuple[0] == 1 ? L4.unknown : L4.udp
        }
        switch tuple[0] {
        case 1 where record.kind == .unixSocket || record.kind == .unknown: break
        case 2 where record.isInet, 10 where record.isInet: break
        default: return
        }
        let before = record
        setTuple(&record, tuple, swapped: false)
        if record.isInet {
            inferLocalAddress(&record)
            if record.flags.isDisjoint(with: [.roleServer, .roleClient]) {
                let owns = descriptors.hasPort(table(of: slot), record.destinationPort)
                record.flags.insert(owns ? .roleServer : .roleClient)
            }
            if isReceive == record.flags.contains(.roleClient) { record.swapEnds() }
            record.name = internTuple(record)
        }
        if record.name != before.name { record.flags.insert(.nameChanged) } else { record.flags.remove(.nameChanged) }
        add(record, fd, slot, &context)
    }

    /// One end of an unconnected socket is 0.0.0.0: the address that the machine would use towards the other end.
    private func inferLocalAddress(_ record: inout DescriptorRecord) {
        guard record.kind == .ipv4Socket else { return }
        if record.source.isZero, !record.destination.isZero {
            record.source = localAddress(towards: record.destination)
        } else if record.destination.isZero, !record.source.isZero {
            record.destination = localAddress(towards: record.source)
        }
    }

    private func localAddress(towards other: AddressBytes) -> AddressBytes {
        var sameNet: AddressBytes?
        var firstOther: AddressBytes?
        for interface in interfaces where !interface.isIPv6 {
            if interface.address == other { return other }
            if sameNet == nil, interface.address.high & interface.netmask.high == other.high & interface.netmask.high {
                sameNet = interface.address
            }
            if firstOther == nil, interface.address.high & 0xff != 127 { firstOther = interface.address }
        }
        return sameNet ?? firstOther ?? AddressBytes()
    }

    private func applySocketError(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        // getsockopt(SOL_SOCKET, SO_ERROR) tells how a pending connect ended.
        guard event.integer(0) == 0, context.hasDescriptor, let fd = context.fd, event.integer(2, signed: false) == 1,
            event.integer(3, signed: false) == 4, let value = event.parameter(4), value.count >= 9, value[0] == 1,
            let error: Int64 = value.integer(at: 1)
        else { return }
        let now = descriptors.change(table(of: slot), fd) { flags in
            guard flags.contains(.connectPending) else { return }
            flags.remove(.connectPending)
            flags.insert(error < 0 ? .connectFailed : .connected)
        }
        if let now { context.descriptor = now }
    }

    /// Takes a SOCKTUPLE (facts §8.3) into the record and names it.
    private func setTuple(_ record: inout DescriptorRecord, _ tuple: Bytes, swapped: Bool) {
        switch tuple[0] {
        case 1:
            guard let source: UInt64 = tuple.integer(at: 1), let destination: UInt64 = tuple.integer(at: 9) else { return }
            record.kind = .unixSocket
            record.unixSource = source
            record.unixDestination = destination
            record.name = internUnixTuple(source, destination, path: tuple.from(min(17, tuple.count)).untilNul)
        case 2:
            guard let sip: UInt32 = tuple.integer(at: 1), let sport: UInt16 = tuple.integer(at: 5),
                let dip: UInt32 = tuple.integer(at: 7),
                let dport: UInt16 = tuple.integer(at: 11)
            else { return }
            record.kind = .ipv4Socket
            setEnds(&record, AddressBytes(ipv4NetworkOrder: sip), sport, AddressBytes(ipv4NetworkOrder: dip), dport, swapped)
        case 10:
            guard let sourceHigh: UInt64 = tuple.integer(at: 1), let sourceLow: UInt64 = tuple.integer(at: 9),
                let sport: UInt16 = tuple.integer(at: 17), let destinationHigh: UInt64 = tuple.integer(at: 19),
                let destinationLow: UInt64 = tuple.integer(at: 27), let dport: UInt16 = tuple.integer(at: 35)
            else { return }
            let source = AddressBytes(high: sourceHigh, low: sourceLow)
            let destination = AddressBytes(high: destinationHigh, low: destinationLow)
            if source.isMappedIPv4, destination.isMappedIPv4 {
                record.kind = .ipv4Socket
                setEnds(&record, source.unmapped, sport, destination.unmapped, dport, swapped)
            } else {
                record.kind = .ipv6Socket
                setEnds(&record, source, sport, destination, dport, swapped)
            }
        default: return
        }
    }

    private func setEnds(
        _ record: inout DescriptorRecord, _ source: AddressBytes, _ sourcePort: UInt16, _ destination: AddressBytes,
        _ destinationPort: UInt16, _ swapped: Bool
    ) {
        record.source = swapped ? destination : source
        record.sourcePort = swapped ? destinationPort : sourcePort
        record.destination = swapped ? source : destination
        record.destinationPort = swapped ? sourcePort : destinationPort
        record.name = internTuple(record)
    }

    // MARK: names

    /// `1.2.3.4:5->6.7.8.9:10`, or `1.2.3.4:5` for a listening socket.
    func internTuple(_ record: DescriptorRecord) -> PoolID {
        let buffer = textBuffer.baseAddress!
        let isIPv6 = record.isIPv6
        var count = AddressText.write(record.source, record.sourcePort, isIPv6: isIPv6, to: buffer)
        if record.kind == .ipv4Socket || record.kind == .ipv6Socket {
            buffer[count] = UInt8(ascii: "-")
            buffer[count + 1] = UInt8(ascii: ">")
            count += 2
            count += AddressText.write(record.destination, record.destinationPort, isIPv6: isIPv6, to: buffer + count)
        }
        return pool.intern(Bytes(base: UnsafePointer(buffer), count: count))
    }

    /// `ffff8881044b6400->ffff8881044b6880 /run/x.sock`; without a path the blank stays, as in Falco.
    private func internUnixTuple(_ source: UInt64, _ destination: UInt64, path: Bytes) -> PoolID {
        let buffer = textBuffer.baseAddress!
        var count = AddressText.writeHex(source, to: buffer)
        buffer[count] = UInt8(ascii: "-")
        buffer[count + 1] = UInt8(ascii: ">")
        count += 2
        count += AddressText.writeHex(destination, to: buffer + count)
        buffer[count] = UInt8(ascii: " ")
        count += 1
        let path = path.prefix(4000)
        (buffer + count).update(from: path.base, count: path.count)
        count += path.count
        return pool.intern(Bytes(base: UnsafePointer(buffer), count: count))
    }

    private func internEndpoint(_ record: DescriptorRecord, address: AddressBytes, port: UInt16, isIPv6: Bool) -> PoolID {
        let buffer = textBuffer.baseAddress!
        let count = AddressText.write(address, port, isIPv6: isIPv6, to: buffer)
        return pool.intern(Bytes(base: UnsafePointer(buffer), count: count))
    }
}

extension DescriptorRecord {
    /// Process of a pidfd; kept where sockets have an address.
    var pidfdPid: Int64 {
        get { Int64(bitPattern: unixSource) }
        set { unixSource = UInt64(bitPattern: newValue) }
    }

    mutating func swapEnds() {
        swap(&source, &destination)
        swap(&sourcePort, &destinationPort)
    }
}

extension AddressBytes {
    /// `::ffff:a.b.c.d`
    var isMappedIPv4: Bool { high == 0 && low & 0xffff_ffff == 0xffff_0000 }
    var unmapped: AddressBytes { AddressBytes(ipv4NetworkOrder: UInt32(truncatingIfNeeded: low >> 32)) }
}

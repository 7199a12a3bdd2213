// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// How descriptors are written: their names, and their kinds in a letter or a word.
public enum DescriptorText {
    /// Appends the printable name: the path or name, `ip:port->ip:port` for a connection, `ip:port` for a socket that has
    /// only its own end, `source->destination path` for a connected unix socket. Nothing where no name is known.
    public static func appendName(
        _ descriptor: borrowing DescriptorRecord, state: SystemState, to scratch: inout ExtractionScratch
    ) {
        switch descriptor.kind {
        case .ipv4Socket, .ipv6Socket:
            // A name that the state made wins: it knows which end was set when.
            if !descriptor.name.isEmpty { return scratch.append(state.pool[descriptor.name]) }
            let isIPv6 = descriptor.kind == .ipv6Socket
            let source = descriptor.source
            let destination = descriptor.destination
            if source.isZero, destination.isZero, descriptor.sourcePort == 0, descriptor.destinationPort == 0 { return }
            append(source, descriptor.sourcePort, isIPv6: isIPv6, to: &scratch)
            scratch.append("->")
            append(destination, descriptor.destinationPort, isIPv6: isIPv6, to: &scratch)
        case .ipv4Server, .ipv6Server:
            if !descriptor.name.isEmpty { return scratch.append(state.pool[descriptor.name]) }
            append(descriptor.source, descriptor.sourcePort, isIPv6: descriptor.kind == .ipv6Server, to: &scratch)
        default:
            scratch.append(state.pool[descriptor.name])
        }
    }

    static func append(_ address: AddressBytes, _ port: UInt16, isIPv6: Bool, to scratch: inout ExtractionScratch) {
        if isIPv6 { scratch.append(ipv6: address) } else { scratch.append(ipv4: address.ipv4NetworkOrder) }
        scratch.append(UInt8(ascii: ":"))
        scratch.append(unsigned: UInt64(port))
    }

    /// `fd.typechar`
    public static func letter(_ kind: DescriptorKind) -> UInt8 {
        switch kind {
        case .unknown: UInt8(ascii: "o")
        case .file, .fileV2: UInt8(ascii: "f")
        case .directory: UInt8(ascii: "d")
        case .ipv4Socket, .ipv4Server: UInt8(ascii: "4")
        case .ipv6Socket, .ipv6Server: UInt8(ascii: "6")
        case .fifo: UInt8(ascii: "p")
        case .unixSocket, .userfaultfd: UInt8(ascii: "u")
        case .eventfd: UInt8(ascii: "e")
        case .unsupported: UInt8(ascii: "X")
        case .signalfd: UInt8(ascii: "s")
        case .epoll: UInt8(ascii: "l")
        case .inotify: UInt8(ascii: "i")
        case .timerfd: UInt8(ascii: "t")
        case .netlink: UInt8(ascii: "n")
        case .bpf: UInt8(ascii: "b")
        case .ioUring: UInt8(ascii: "r")
        case .memfd: UInt8(ascii: "m")
        case .pidfd: UInt8(ascii: "P")
        }
    }

    /// `fd.type`; nil for a kind without a word.
    public static func word(_ kind: DescriptorKind) -> StaticString? {
        switch kind {
        case .file, .fileV2: "file"
        case .directory: "directory"
        case .ipv4Socket, .ipv4Server: "ipv4"
        case .ipv6Socket, .ipv6Server: "ipv6"
        case .fifo: "pipe"
        case .unixSocket: "unix"
        case .eventfd: "event"
        case .signalfd: "signalfd"
        case .epoll: "eventpoll"
        case .inotify: "inotify"
        case .timerfd: "timerfd"
        case .netlink: "netlink"
        case .bpf: "bpf"
        case .userfaultfd: "userfaultfd"
        case .ioUring: "io_uring"
        case .memfd: "memfd"
        case .pidfd: "pidfd"
        case .unknown, .unsupported: nil
        }
    }

    /// The letter after `4` or `6` in a descriptor's text; nil where the protocol is not known.
    static func protocolLetter(_ l4Protocol: UInt8) -> UInt8? {
        switch l4Protocol {
        case 2: UInt8(ascii: "t")
        case 3: UInt8(ascii: "u")
        case 4: UInt8(ascii: "i")
        case 5: UInt8(ascii: "r")
        default: nil
        }
    }
}

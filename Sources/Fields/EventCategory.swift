// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// What the category number of the event table says.
enum EventCategory {
    static let kindMask: UInt16 = 0xff
    static let memory: UInt16 = 5
    static let ioRead: UInt16 = 32
    static let ioWrite: UInt16 = 33
    static let ioOther: UInt16 = 34
    static let scheduler: UInt16 = 128
    static let internalBit: UInt16 = 256
    static let syscallBit: UInt16 = 512

    static func isIO(_ kind: UInt16) -> Bool { kind == ioRead || kind == ioWrite || kind == ioOther }

    /// `evt.category`: for reads, writes and their kin the kind of descriptor decides.
    static func word(_ category: UInt16, context: borrowing EventContext) -> StaticString {
        let kind = category & kindMask
        if isIO(kind) {
            guard context.hasDescriptor else { return "unknown" }
            return descriptorWord(context.descriptor.kind)
        }
        switch kind {
        case 1: return "other"
        case 2: return "file"
        case 3: return "net"
        case 4: return "IPC"
        case 5: return "memory"
        case 6: return "process"
        case 7: return "sleep"
        case 8: return "system"
        case 9: return "signal"
        case 10: return "user"
        case 11: return "time"
        case 12: return "processing"
        case 64: return "wait"
        case 128: return "scheduler"
        default: return category & internalBit != 0 ? "internal" : "unknown"
        }
    }

    private static func descriptorWord(_ kind: DescriptorKind) -> StaticString {
        switch kind {
        case .file, .fileV2, .directory: "file"
        case .ipv4Socket, .ipv6Socket, .ipv4Server, .ipv6Server: "net"
        case .fifo, .unixSocket, .eventfd, .signalfd, .inotify, .userfaultfd: "ipc"
        case .unknown, .unsupported, .epoll, .timerfd, .netlink, .bpf, .ioUring, .memfd, .pidfd: "unknown"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// What a call found in the caller's memory at its beginning: a racing thread cannot rewrite that any more, so it wins over what
/// the event of the call's end read there. Kept with the thread from the one event to the other; no allocation once interned.
extension SystemState {
    /// An event that could not read its path or address keeps nothing, and so does away with what an earlier call left.
    func keepEnter(_ event: EventView, _ slot: ThreadSlot) {
        let record = row(slot)
        record.pointee.enterPath = .empty
        record.pointee.enterType = event.type
        let told: Bytes?
        switch event.type {
        case PPME_SYSCALL_OPEN_E, PPME_SYSCALL_CREAT_E: told = event.text(0)
        case PPME_SOCKET_CONNECT_E: told = event.parameter(1)
        default: told = event.text(1)
        }
        guard let told, !told.isEmpty, !(told == "<NA>") else { return }
        record.pointee.enterPath = pool.intern(told)
    }

    /// What the beginning of the call that `event` ends told; empty if that was another call or could not be told.
    func takeEnter(_ event: EventView, _ slot: ThreadSlot) -> PoolID {
        let record = row(slot)
        let kept = record.pointee.enterType &+ 1 == event.type ? record.pointee.enterPath : .empty
        record.pointee.enterPath = .empty
        return kept
    }

    /// Event types with which a system call ends.
    private static let endsCall: ContiguousArray<Bool> = ContiguousArray(
        EventTable.events.map { !$0.isEnter && $0.category & UInt16(EC_SYSCALL.rawValue) != 0 })

    /// A thread is in one call at a time: where another one ends, the end of the call that is kept was lost, or has no event.
    @inline(__always)
    func forgetStaleEnter(_ event: EventView, _ record: UnsafeMutablePointer<ThreadRecord>) {
        guard !record.pointee.enterPath.isEmpty, Self.endsCall[Int(event.type)] else { return }
        let begun = record.pointee.enterType
        if event.type == begun &+ 1 { return }
        // A good execveat may end as an execve.
        if begun == PPME_SYSCALL_EXECVEAT_E.code, event.type == PPME_SYSCALL_EXECVE_19_X.code { return }
        record.pointee.enterPath = .empty
    }

    // MARK: connect

    /// The far end of a connected inet socket is the one that the call was given at its beginning; 0.0.0.0, of which the kernel
    /// makes one of its own addresses, stays the kernel's. A connect that failed leaves the socket as it was. Unix tuples carry the name that the listener is bound to.
    func correctRemoteEnd(_ record: inout DescriptorRecord, _ enter: PoolID) {
        guard record.isInet, !enter.isEmpty, let end = remoteEnd(pool[enter]), !end.address.isZero,
            end.isIPv6 == record.isIPv6, end.address != record.destination || end.port != record.destinationPort
        else { return }
        (record.destination, record.destinationPort) = (end.address, end.port)
        record.name = internTuple(record)
    }

    /// The end that a SOCKADDR tells. Nil for other families and for one that is cut.
    private func remoteEnd(_ address: Bytes) -> (address: AddressBytes, port: UInt16, isIPv6: Bool)? {
        guard !address.isEmpty else { return nil }
        switch address[0] {
        case 2:
            guard let ip: UInt32 = address.integer(at: 1), let port: UInt16 = address.integer(at: 5) else { return nil }
            return (AddressBytes(ipv4NetworkOrder: ip), port, false)
        case 10:
            guard let high: UInt64 = address.integer(at: 1), let low: UInt64 = address.integer(at: 9),
                let port: UInt16 = address.integer(at: 17)
            else { return nil }
            let ip = AddressBytes(high: high, low: low)
            return ip.isMappedIPv4 ? (ip.unmapped, port, false) : (ip, port, true)
        default: return nil
        }
    }
}

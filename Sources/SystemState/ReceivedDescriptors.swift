// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// Descriptors that came with a message (SCM_RIGHTS): the event tells their numbers, not what they are.
extension SystemState {
    /// What the table had under these numbers was closed unseen. Live, the source is asked what they are now; a replay knows nothing.
    /// `control`: the parameter with the control messages. Bounded by the 253 descriptors that one message may carry.
    func applyReceived(_ event: EventView, _ slot: ThreadSlot, control: Int) {
        guard (event.integer(0) ?? -1) >= 0, let messages = event.parameter(control) else { return }
        let table = table(of: slot)
        var asks = false
        var at = 0
        // size_t cmsg_len, int cmsg_level, int cmsg_type, data, padded to eight bytes.
        while let length: UInt64 = messages.integer(at: at), length >= 16, length <= UInt64(messages.count - at),
            let level: Int32 = messages.integer(at: at + 8), let type: Int32 = messages.integer(at: at + 12)
        {
            let (solSocket, rights, pidfd): (Int32, Int32, Int32) = (1, 1, 4)
            let end = at + Int(length)
            if level == solSocket, type == rights || type == pidfd {
                var number = at + 16
                while number + 4 <= end, let fd: Int32 = messages.integer(at: number) {
                    if fd >= 0 {
                        descriptors.remove(table, Int64(fd))
                        if type == pidfd {
                            var record = DescriptorRecord()
                            record.kind = .pidfd
                            record.pidfdPid = -1
                            descriptors.set(table, Int64(fd), record)
                        } else {
                            asks = true
                        }
                    }
                    number += 4
                }
            }
            at += (Int(length) + 7) & ~7
        }
        guard asks, let taskLookup else { return }
        counters.descriptorLookupsElsewhere &+= 1
        if case .refused = taskLookup.lookUpDescriptors(pid: row(slot).pointee.pid, into: self) {
            counters.lookupsRefused &+= 1
        }
    }
}

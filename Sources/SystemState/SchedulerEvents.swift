// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Processor times and memory, as far as events tell them.
extension SystemState {
    /// Processors whose switches are followed; threads on others have no run time.
    static let processorsMax = 4096

    /// A processor leaves the thread of the event. How long that ran is the time since the switch before on the same processor.
    func applySwitch(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        let cpu = Int(event.cpu)
        if cpu < Self.processorsMax {
            let last = switchTimesNs[cpu]
            if last != 0, event.timestampNs > last { context.runTimeNs = event.timestampNs - last }
            switchTimesNs[cpu] = event.timestampNs
        }
        guard slot.exists else { return }
        let record = row(slot)
        record.pointee.totalRunTimeNs &+= context.runTimeNs
        // next, pgft_maj, pgft_min, vm_size, vm_rss, vm_swap; the oldest form of the event has the first only.
        if let faults = event.unsigned(1) { record.pointee.pfmajor = faults }
        if let faults = event.unsigned(2) { record.pointee.pfminor = faults }
        applyMemory(event, from: 3, slot)
    }

    /// `vm_size`, `vm_rss`, `vm_swap` from parameter `first` on: of the process, so its leader keeps them.
    func applyMemory(_ event: EventView, from first: Int, _ slot: ThreadSlot) {
        guard slot.exists else { return }
        let record = row(leader(of: slot))
        if let size = event.uint32(first) { record.pointee.vmsizeKb = size }
        if let size = event.uint32(first + 1) { record.pointee.vmrssKb = size }
        if let size = event.uint32(first + 2) { record.pointee.vmswapKb = size }
    }

    /// Statistics in old captures: processor time of the thread so far, in hundredths of a second of which a second has 100.
    func applyStatistics(_ event: EventView, _ slot: ThreadSlot, _ context: inout EventContext) {
        guard slot.exists, let user = event.unsigned(0), let system = event.unsigned(1) else { return }
        let record = row(slot)
        let isFirst = record.pointee.statisticsUser == 0 && record.pointee.statisticsSystem == 0
        func since(_ last: UInt64, _ now: UInt64) -> UInt64 { isFirst || now < last ? 0 : now - last }
        context.processorShare = ProcessorShare(
            user: since(record.pointee.statisticsUser, user), system: since(record.pointee.statisticsSystem, system))
        record.pointee.statisticsUser = user
        record.pointee.statisticsSystem = system
    }
}

/// Processor time of a thread between two statistics events, in percent of a processor.
public struct ProcessorShare: Sendable {
    public let user: UInt64
    public let system: UInt64
}

// SPDX-License-Identifier: Apache-2.0
import EventModel

/// What the kernel knows beyond an event's parameters (`PROBE_KERNEL_RECORD`): kept on the thread until its next event, which is the
/// one it was written for, or another if that one was lost: then nobody gets it.
extension SystemState {
    private enum Parameter {
        static let path = 0, fspath = 1, argumentsBytes = 2, argumentsTail = 3
    }

    func admitKernelRecord(_ event: EventView) {
        var slot = threads.find(event.tid)
        if !slot.exists { slot = findMissing(tid: event.tid) }
        guard slot.exists else { return }
        let record = row(slot)
        record.pointee.kernelPath = pool.internSpare(event.text(Parameter.path) ?? .empty)
        record.pointee.kernelFSPath = pool.internSpare(event.text(Parameter.fspath) ?? .empty)
        record.pointee.kernelArgumentsBytes = event.unsigned(Parameter.argumentsBytes) ?? 0
        record.pointee.kernelArgumentsTail = pool.internSpare(event.parameter(Parameter.argumentsTail) ?? .empty)
        record.pointee.hasKernelRecord = true
    }

    func forgetKernelRecord(_ slot: ThreadSlot) {
        let record = row(slot)
        record.pointee.hasKernelRecord = false
        record.pointee.kernelPath = .empty
        record.pointee.kernelFSPath = .empty
        record.pointee.kernelArgumentsBytes = 0
        record.pointee.kernelArgumentsTail = .empty
    }

    /// The call of `slot` opened the file that `descriptor` describes.
    func takeKernelPath(_ slot: ThreadSlot, _ descriptor: inout DescriptorRecord) {
        let record = row(slot)
        guard record.pointee.hasKernelRecord else { return }
        if record.pointee.kernelPath != descriptor.name { descriptor.kernelPath = record.pointee.kernelPath }
        descriptor.kernelFSPath = record.pointee.kernelFSPath
    }

    /// A new image: its arguments are all in the event unless a record told otherwise.
    func takeKernelArguments(_ record: UnsafeMutablePointer<ThreadRecord>) {
        record.pointee.argumentsBytes = record.pointee.kernelArgumentsBytes
        record.pointee.argumentsTail = record.pointee.kernelArgumentsTail
    }

    func markKernelRecord(_ record: UnsafeMutablePointer<ThreadRecord>) {
        pool.mark(record.pointee.argumentsTail)
        pool.mark(record.pointee.kernelPath)
        pool.mark(record.pointee.kernelFSPath)
        pool.mark(record.pointee.kernelArgumentsTail)
    }
}

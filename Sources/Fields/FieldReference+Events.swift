// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

extension FieldReference {
    /// Whether an event of this code can give the field a value at all. True wherever that depends on more than the code, so a
    /// false is certain. Control plane: for questions to conditions, not for evaluating them.
    public func mayHaveValue(in code: UInt16) -> Bool {
        guard Int(code) < EventTable.count else { return true }
        let row = UInt16(truncatingIfNeeded: definition.id.rawValue)
        switch UInt16(truncatingIfNeeded: definition.id.rawValue >> 16) {
        case FieldFamilies.descriptor:
            return EventTable.flagsByCode[Int(code)]
                & UInt16(EF_CREATES_FD.rawValue | EF_USES_FD.rawValue | EF_DESTROYS_FD.rawValue)
                != 0
        case FieldFamilies.path: return PathField(rawValue: row)!.hasPlace(in: code)
        case FieldFamilies.event: return mayHaveValue(of: EventField(rawValue: row)!, in: EventTable.events[Int(code)])
        default: return true
        }
    }

    private func mayHaveValue(of field: EventField, in event: EventInfo) -> Bool {
        let isSystemCall = event.category & UInt16(EC_SYSCALL.rawValue) != 0
        switch field {
        case .syscallType: return isSystemCall
        case .asyncType: return event.code == PPME_ASYNCEVENT_E.code
        case .infraName, .infraContainerID, .infraContainerName, .infraContainerImage:
            return event.code == PPME_INFRASTRUCTURE_EVENT_E.code
        case .argument, .rawArgument: return hasParameter(event)
        case .absolutePath:
            return event.code == PPME_SYSCALL_OPEN_BY_HANDLE_AT_X.code || event.parameters.contains { $0.type == .fsrelpath }
        case .buffer: return event.parameterIndex("data") != nil
        // What a call returned stands in its exit event; calls that are known by number only do not tell it.
        case .result, .rawResult, .failed, .countError, .countErrorFile, .countErrorNet, .countErrorMemory, .countErrorOther:
            return isSystemCall && !event.isEnter && event.code > 1
        case .ioDirection: return event.has(EF_READS_FROM_FD) || event.has(EF_WRITES_TO_FD)
        case .bufferLength, .bufferLengthIn, .bufferLengthOut, .bufferLengthFile, .bufferLengthFileIn, .bufferLengthFileOut,
            .bufferLengthNet, .bufferLengthNetIn, .bufferLengthNetOut:
            return !event.isEnter && EventCategory.isIO(event.category & EventCategory.kindMask)
        default: return true
        }
    }

    /// `evt.arg[2]` is a place, `evt.arg.flags` a name.
    private func hasParameter(_ event: EventInfo) -> Bool {
        if key == nil { return number.map { $0 < Int64(event.parameters.count) } ?? true }
        return argument.map { name in event.parameterIndex(name) != nil } ?? true
    }
}

// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState

/// What `fd.*` says when the descriptor is not known, most often because the call that would have made it failed: the name that
/// the caller asked for is worth showing all the same.
enum UnopenedDescriptor {
    static func extract(
        _ field: DescriptorField, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        guard field != .typechar else { return .bytes(letter(of: context.event.type)) }
        guard field != .filename, !context.event.isEnter else { return .none }
        guard let name = name(isRaw: field == .nameRaw, context: context, state: state, scratch: &scratch) else { return .none }
        switch field {
        case .nameRaw: return .bytes(DescriptorField.withoutRepeatedSlashes(name, &scratch))
        case .directory: return .bytes(DescriptorField.directory(of: name))
        case .containerName: return .bytes(DescriptorField.inContainer(name, context: context, state: state, scratch: &scratch))
        case .containerDirectory:
            let directory = DescriptorField.directory(of: name)
            return .bytes(DescriptorField.inContainer(directory, context: context, state: state, scratch: &scratch))
        default: return .bytes(name)
        }
    }

    /// The name that the event itself tells; empty for events that tell none.
    private static func name(
        isRaw: Bool, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> Bytes? {
        let event = context.event
        switch event.type {
        case PPME_SYSCALL_OPEN_X.code, PPME_SYSCALL_CREAT_X.code:
            if !context.enterPath.isEmpty {
                return PathText.absolute(
                    state.pool[context.enterPath], dirfd: PathText.currentDirectory, context, state, &scratch)
            }
            return argument(1, context: context, state: state, scratch: &scratch)
        case PPME_SYSCALL_OPENAT_2_X.code, PPME_SYSCALL_OPENAT2_X.code:
            guard let path = context.enterPath.isEmpty ? event.text(2) : state.pool[context.enterPath] else { return nil }
            if isRaw { return path }
            return PathText.absolute(path, dirfd: event.integer(1) ?? PathText.currentDirectory, context, state, &scratch)
        case PPME_SYSCALL_OPEN_BY_HANDLE_AT_X.code:
            return event.text(3) ?? .empty
        case PPME_SOCKET_ACCEPT_X.code, PPME_SOCKET_ACCEPT_5_X.code, PPME_SOCKET_ACCEPT4_X.code, PPME_SOCKET_ACCEPT4_5_X.code,
            PPME_SOCKET_ACCEPT4_6_X.code, PPME_SOCKET_CONNECT_X.code:
            return argument(1, context: context, state: state, scratch: &scratch)
        default:
            return .empty
        }
    }

    /// As `evt.arg[index]` shows it.
    private static func argument(
        _ index: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> Bytes? {
        guard case .bytes(let text) = ArgumentText.one(index, context: context, state: state, scratch: &scratch) else {
            return nil
        }
        return text
    }

    private static func letter(of type: UInt16) -> Bytes {
        switch type | 1 {
        // `open` is missing here, as in Falco.
        case PPME_SYSCALL_OPENAT_X.code, PPME_SYSCALL_OPENAT_2_X.code, PPME_SYSCALL_OPENAT2_X.code, PPME_SYSCALL_CREAT_X.code:
            return Bytes("f")
        // The family is not known here; Falco says IPv4.
        case PPME_SOCKET_SOCKET_X.code, PPME_SOCKET_ACCEPT_X.code, PPME_SOCKET_ACCEPT_5_X.code, PPME_SOCKET_ACCEPT4_X.code,
            PPME_SOCKET_ACCEPT4_5_X.code, PPME_SOCKET_ACCEPT4_6_X.code:
            return Bytes("4")
        case PPME_SYSCALL_PIPE_X.code, PPME_SYSCALL_PIPE2_X.code: return Bytes("p")
        case PPME_SYSCALL_EVENTFD_X.code, PPME_SYSCALL_EVENTFD2_X.code: return Bytes("e")
        case PPME_SYSCALL_SIGNALFD_X.code, PPME_SYSCALL_SIGNALFD4_X.code: return Bytes("s")
        case PPME_SYSCALL_TIMERFD_CREATE_X.code: return Bytes("t")
        case PPME_SYSCALL_INOTIFY_INIT_X.code, PPME_SYSCALL_INOTIFY_INIT1_X.code: return Bytes("i")
        default: return Bytes("o")
        }
    }
}

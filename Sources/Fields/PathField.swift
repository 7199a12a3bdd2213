// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState

/// Paths that a system call works on, whether or not it opens them (`fs.path.*`).
public enum PathField: UInt16, FieldFamily {
    case name, nameRaw, source, sourceRaw, target, targetRaw

    public static let number = FieldFamilies.path

    public static let classes: [FieldClassRows<PathField>] = [
        FieldClassRows(
            "fs.path",
            "Paths in the arguments of calls that succeeded: also of those that open nothing, such as unlink and rename.",
            rows: [
                .init(.name, "fs.path.name", .charbuf, "The path that the call works on, absolute."),
                .init(.nameRaw, "fs.path.nameraw", .charbuf, "The path that the call works on, as the caller wrote it."),
                .init(
                    .source, "fs.path.source", .charbuf, "Of two paths the one that is read, renamed or made a link; absolute."),
                .init(.sourceRaw, "fs.path.sourceraw", .charbuf, "Of two paths the source, as the caller wrote it."),
                .init(.target, "fs.path.target", .charbuf, "Of two paths the one that is written or pointed at; absolute."),
                .init(.targetRaw, "fs.path.targetraw", .charbuf, "Of two paths the target, as the caller wrote it."),
            ])
    ]

    private enum Role { case name, source, target }

    private var role: Role {
        switch self {
        case .name, .nameRaw: .name
        case .source, .sourceRaw: .source
        case .target, .targetRaw: .target
        }
    }

    /// Whether events of this code have such a path among their arguments.
    func hasPlace(in code: UInt16) -> Bool { Self.place(role, of: code) != nil }

    /// Where an event type keeps a path, and what a relative one is relative to.
    private enum Base {
        case cwd
        /// The descriptor parameter of this index; AT_FDCWD is the cwd.
        case dirfd(Int)
        /// The descriptor of the event, which AT_FDCWD is not: `<UNKNOWN>` then, as in Falco.
        case eventDescriptor
        /// Text that the kernel does not resolve at the time of the call.
        case nothing
    }

    private enum Place {
        case parameter(Int, Base)
        /// The path of the descriptor that the call works on.
        case descriptor
        /// The path that the call opens: the new descriptor's where it is known.
        case opened(Int, Base)
    }

    private static func place(_ role: Role, of type: UInt16) -> Place? {
        switch (type, role) {
        case (PPME_SYSCALL_OPEN_X.code, .name): .opened(1, .cwd)
        case (PPME_SYSCALL_OPENAT_2_X.code, .name), (PPME_SYSCALL_OPENAT2_X.code, .name): .opened(2, .eventDescriptor)
        case (PPME_SYSCALL_MKDIR_2_X.code, .name), (PPME_SYSCALL_RMDIR_2_X.code, .name), (PPME_SYSCALL_UNLINK_2_X.code, .name),
            (PPME_SYSCALL_CHMOD_X.code, .name), (PPME_SYSCALL_CHOWN_X.code, .name), (PPME_SYSCALL_LCHOWN_X.code, .name),
            (PPME_SYSCALL_QUOTACTL_X.code, .name), (PPME_SYSCALL_UMOUNT_X.code, .name), (PPME_SYSCALL_UMOUNT_1_X.code, .name),
            (PPME_SYSCALL_UMOUNT2_X.code, .name):
            .parameter(1, .cwd)
        case (PPME_SYSCALL_MKDIRAT_X.code, .name), (PPME_SYSCALL_UNLINKAT_2_X.code, .name), (PPME_SYSCALL_FCHMODAT_X.code, .name),
            (PPME_SYSCALL_FCHOWNAT_X.code, .name):
            .parameter(2, .eventDescriptor)
        case (PPME_SYSCALL_FCHMOD_X.code, .name), (PPME_SYSCALL_FCHOWN_X.code, .name): .descriptor
        case (PPME_SYSCALL_RENAME_X.code, .source): .parameter(1, .cwd)
        case (PPME_SYSCALL_RENAME_X.code, .target): .parameter(2, .cwd)
        case (PPME_SYSCALL_RENAMEAT_X.code, .source), (PPME_SYSCALL_RENAMEAT2_X.code, .source): .parameter(2, .dirfd(1))
        case (PPME_SYSCALL_RENAMEAT_X.code, .target), (PPME_SYSCALL_RENAMEAT2_X.code, .target): .parameter(4, .dirfd(3))
        // The new name of a link is its source, what it stands for the target.
        case (PPME_SYSCALL_LINK_2_X.code, .source): .parameter(2, .cwd)
        case (PPME_SYSCALL_LINK_2_X.code, .target): .parameter(1, .cwd)
        case (PPME_SYSCALL_LINKAT_2_X.code, .source): .parameter(4, .dirfd(3))
        case (PPME_SYSCALL_LINKAT_2_X.code, .target): .parameter(2, .dirfd(1))
        case (PPME_SYSCALL_SYMLINK_X.code, .source): .parameter(2, .cwd)
        case (PPME_SYSCALL_SYMLINK_X.code, .target): .parameter(1, .cwd)
        case (PPME_SYSCALL_SYMLINKAT_X.code, .source): .parameter(3, .eventDescriptor)
        case (PPME_SYSCALL_SYMLINKAT_X.code, .target): .parameter(1, .nothing)
        case (PPME_SYSCALL_MOUNT_X.code, .source): .parameter(1, .cwd)
        case (PPME_SYSCALL_MOUNT_X.code, .target): .parameter(2, .cwd)
        default: nil
        }
    }

    static func extract(
        _ field: PathField, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        let role: Role
        let isRaw: Bool
        switch field {
        case .name: (role, isRaw) = (.name, false)
        case .nameRaw: (role, isRaw) = (.name, true)
        case .source: (role, isRaw) = (.source, false)
        case .sourceRaw: (role, isRaw) = (.source, true)
        case .target: (role, isRaw) = (.target, false)
        case .targetRaw: (role, isRaw) = (.target, true)
        }
        let event = context.event
        guard let place = place(role, of: event.type), let result = event.integer(0) else { return .none }
        switch place {
        case .opened(let index, let base):
            // -1 alone says that there is nothing to name; other errors still tell what was asked for.
            guard result != -1, let path = context.enterPath.isEmpty ? event.text(index) : state.pool[context.enterPath] else {
                return .none
            }
            if isRaw { return .bytes(path) }
            if result >= 0, context.hasDescriptor { return .bytes(state.pool[context.descriptor.name]) }
            if case .eventDescriptor = base, !PathText.isAbsolute(path) { return .bytes(Bytes(PathText.unknown)) }
            return .bytes(PathText.absolute(path, dirfd: PathText.currentDirectory, context, state, &scratch))
        case .descriptor:
            guard result == 0, context.hasDescriptor else { return .none }
            return .bytes(state.pool[context.descriptor.name])
        case .parameter(var index, let base):
            guard result == 0 else { return .none }
            if event.type == PPME_SYSCALL_QUOTACTL_X.code, event.text(index)?.isEmpty ?? true { index = 2 }
            guard let path = event.text(index) else { return .none }
            if isRaw || path.isEmpty || PathText.isAbsolute(path) { return .bytes(path) }
            switch base {
            case .cwd: return .bytes(PathText.absolute(path, dirfd: PathText.currentDirectory, context, state, &scratch))
            case .dirfd(let parameter):
                let dirfd = event.integer(parameter) ?? PathText.currentDirectory
                return .bytes(PathText.absolute(path, dirfd: dirfd, context, state, &scratch))
            case .eventDescriptor:
                guard context.hasDescriptor else { return .bytes(PathText.behindUnknown(path, &scratch)) }
                let directory = PathText.withFinalSlash(state.pool[context.descriptor.name], &scratch)
                return .bytes(PathText.join(directory, path, state, &scratch))
            case .nothing: return .bytes(PathText.behindUnknown(path, &scratch))
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// What the kernel made of a name and how long arguments really are (`kernel.*`): fields of our own. Names in events are the
/// caller's, as in Falco; these tell what they led to. They have a value only where the source said that it would tell.
public enum KernelField: UInt16, FieldFamily {
    case path, fspath, pathDiffers, argumentsLength, argumentsTail, argumentsTruncated

    public static let number = FieldFamilies.kernel
    public static func owns(_ definition: FieldDefinition) -> Bool { definition.id.rawValue >> 16 == UInt32(number) }

    public static let classes = [
        FieldClassRows<KernelField>(
            "kernel", "What the kernel knows beyond the arguments of a call. Not in other implementations of these rules.",
            rows: [
                .init(
                    .path, "kernel.path", .charbuf,
                    "The path of the event's open file as the kernel resolved it when it was opened: through links, /proc/self/root "
                        + "and directories of other roots, across mounts. fd.name is the path as the caller put it."),
                .init(
                    .fspath, "kernel.fspath", .charbuf,
                    "Where the file lies inside its file system, if the mount it was reached by shows only a part of that (a bind "
                        + "mount); no value otherwise."),
                .init(
                    .pathDiffers, "kernel.path_differs", .bool,
                    "True if the kernel resolved the file's path to something other than fd.name."),
                .init(
                    .argumentsLength, "kernel.args_length", .uint64, .dec,
                    "Bytes of the arguments with which the process was started, each with its NUL, also where proc.args shows only "
                        + "the first 4096 of them."),
                .init(
                    .argumentsTail, "kernel.args_tail", .charbuf,
                    "The last kilobyte of arguments that are longer than what proc.args shows; no value otherwise."),
                .init(
                    .argumentsTruncated, "kernel.args_truncated", .bool,
                    "True if proc.args shows only a part of the arguments."),
            ])
    ]

    /// O(1), but for `argumentsTail`: a copy of a kilobyte.
    static func extract(
        _ field: KernelField, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch
    ) -> FieldValue {
        guard state.hasKernelRecords else { return .none }
        switch field {
        case .path:
            guard let descriptor = file(context) else { return .none }
            return .bytes(state.pool[descriptor.kernelPath.isEmpty ? descriptor.name : descriptor.kernelPath])
        case .fspath:
            guard let descriptor = file(context), !descriptor.kernelFSPath.isEmpty else { return .none }
            return .bytes(state.pool[descriptor.kernelFSPath])
        case .pathDiffers:
            guard let descriptor = file(context) else { return .none }
            return .bool(!descriptor.kernelPath.isEmpty)
        case .argumentsLength:
            guard context.thread.exists else { return .none }
            let thread = state[context.thread]
            return .uint(thread.argumentsBytes > 0 ? thread.argumentsBytes : UInt64(state.pool[thread.args].count))
        case .argumentsTail:
            guard context.thread.exists else { return .none }
            let tail = state.pool[state[context.thread].argumentsTail]
            guard !tail.isEmpty else { return .none }
            scratch.begin()
            scratch.append(words: tail, separator: UInt8(ascii: " "))
            return .bytes(scratch.finish())
        case .argumentsTruncated:
            guard context.thread.exists else { return .none }
            return .bool(state[context.thread].argumentsBytes > 0)
        }
    }

    private static func file(_ context: borrowing EventContext) -> DescriptorRecord? {
        guard context.hasDescriptor else { return nil }
        switch context.descriptor.kind {
        case .file, .fileV2, .directory: return context.descriptor
        default: return nil
        }
    }
}

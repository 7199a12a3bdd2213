// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// Fields of the container that the event's process runs in. The id comes from the process's cgroup, all else from what the
/// container runtime told (`SystemState.containers`): no value until it did.
public enum ContainerField: UInt16, FieldFamily {
    case id, fullID, name, image, imageID, type, privileged
    case mounts, mount, mountSource, mountDestination, mountMode, mountIsWritable, mountPropagation
    case imageRepository, imageTag, imageDigest, healthcheck, livenessProbe, readinessProbe
    case startTime, duration, address, networkJSON, hostPID, hostNetwork, hostIPC, label, labels
    case isHealthcheck, isLivenessProbe, isReadinessProbe

    public static let number = FieldFamilies.container
    public static let isFromPlugin = true

    private static let mountChoice: FieldFlags = [.argumentRequired, .argumentIndex, .argumentKey]

    public static let classes: [FieldClassRows<ContainerField>] = [
        FieldClassRows(
            "container", "The container that the process runs in, and its pod; 'host' is the machine itself.",
            rows: [
                .init(.id, "container.id", .charbuf, .na, .suggestedOutput, "Short id of the container, or 'host'."),
                .init(.fullID, "container.full_id", .charbuf, "Whole id of the container."),
                .init(.name, "container.name", .charbuf, .na, .suggestedOutput, "Name of the container."),
                .init(.image, "container.image", .charbuf, "Image that the container was started from, with its tag or digest."),
                .init(.imageID, "container.image.id", .charbuf, "Id of the container's image."),
                .init(.type, "container.type", .charbuf, "Runtime that made the container, such as 'docker' or 'containerd'."),
                .init(.privileged, "container.privileged", .bool, "Whether the container runs privileged."),
                .init(
                    .mounts, "container.mounts", .charbuf,
                    "All mounts as source:destination:mode:writable:propagation, separated by commas."),
                .init(
                    .mount, "container.mount", .charbuf, .na, mountChoice,
                    "One mount, by its place or by a pattern for its source."),
                .init(
                    .mountSource, "container.mount.source", .charbuf, .na, mountChoice,
                    "Source of a mount, by place or by its destination."),
                .init(
                    .mountDestination, "container.mount.dest", .charbuf, .na, mountChoice,
                    "Destination of a mount, by place or by its source."),
                .init(
                    .mountMode, "container.mount.mode", .charbuf, .na, mountChoice, "Mode of a mount, by its place or source."),
                .init(
                    .mountIsWritable, "container.mount.rdwr", .charbuf, .na, mountChoice,
                    "Whether a mount is writable, by place or by its source."),
                .init(
                    .mountPropagation, "container.mount.propagation", .charbuf, .na, mountChoice,
                    "Propagation of a mount, by place or by its source."),
                .init(
                    .imageRepository, "container.image.repository", .charbuf, .na, .suggestedOutput,
                    "Image name without tag and digest."),
                .init(.imageTag, "container.image.tag", .charbuf, .na, .suggestedOutput, "Tag of the image."),
                .init(.imageDigest, "container.image.digest", .charbuf, "Digest of the image."),
                .init(
                    .healthcheck, "container.healthcheck", .charbuf, .na, .deprecated,
                    "Command of the health check, NONE without one."),
                .init(
                    .livenessProbe, "container.liveness_probe", .charbuf, .na, .deprecated,
                    "Command of the liveness probe, NONE without one."),
                .init(
                    .readinessProbe, "container.readiness_probe", .charbuf, .na, .deprecated,
                    "Command of the readiness probe, NONE without one."),
                .init(
                    .startTime, "container.start_ts", .abstime, .dec, "When the container started, in nanoseconds of the epoch."),
                .init(.duration, "container.duration", .reltime, .dec, "Nanoseconds since the container started."),
                .init(.address, "container.ip", .charbuf, "Address of the container."),
                .init(.networkJSON, "container.cni.json", .charbuf, "Network set-up of the pod as the CNI plugin told it."),
                .init(.hostPID, "container.host_pid", .bool, "Whether the container shares the host's processes."),
                .init(.hostNetwork, "container.host_network", .bool, "Whether the container shares the host's network."),
                .init(.hostIPC, "container.host_ipc", .bool, "Whether the container shares the host's IPC objects."),
                .init(.label, "container.label", .charbuf, .na, [.argumentRequired, .argumentKey], "Value of one label."),
                .init(.labels, "container.labels", .charbuf, "All labels as key:value, separated by commas."),
                .init(
                    .isHealthcheck, "proc.is_container_healthcheck", .bool, .na, .deprecated,
                    "Whether the process is the health check."),
                .init(
                    .isLivenessProbe, "proc.is_container_liveness_probe", .bool, .na, .deprecated,
                    "Whether the process is the liveness probe."),
                .init(
                    .isReadinessProbe, "proc.is_container_readiness_probe", .bool, .na, .deprecated,
                    "Whether the process is the readiness probe."),
            ])
    ]

    static func extract(
        _ field: ContainerField, _ reference: FieldSelector, context: borrowing EventContext, state: SystemState,
        scratch: inout ExtractionScratch
    ) -> FieldValue {
        guard context.thread.exists else { return .none }
        let id = state.containerID(of: context.thread)
        let isHost = id == "host"
        if field == .id { return id.isEmpty ? .none : .bytes(id) }
        if field == .fullID, !isHost {
            let full = state.fullContainerID(of: context.thread)
            if !full.isEmpty { return .bytes(full) }
        }
        if isHost {
            switch field {
            case .fullID, .name, .type: return .bytes(id)
            default: return .none
            }
        }
        guard let record = state.containers.find(id) else { return .none }
        func text(_ text: ContainerRecord.Text) -> FieldValue {
            let bytes = record[text]
            return bytes.isEmpty ? .none : .bytes(bytes)
        }
        /// A container that is known to have no such probe says so.
        func probe(_ text: ContainerRecord.Text) -> FieldValue {
            let bytes = record[text]
            return .bytes(bytes.isEmpty ? Bytes("NONE") : bytes)
        }
        switch field {
        case .id: return .bytes(id)
        case .fullID: return text(record.fullID)
        case .name: return text(record.name)
        case .image: return text(record.image)
        case .imageID: return text(record.imageID)
        case .type: return text(record.type)
        case .privileged: return record.isPrivileged.map { .bool($0) } ?? .none
        case .mounts:
            guard !record.mounts.isEmpty else { return .none }
            scratch.begin()
            for mount in record.mounts {
                if scratch.openCount > 0 { scratch.append(UInt8(ascii: ",")) }
                append(mount, of: record, &scratch)
            }
            return .bytes(scratch.finish())
        case .mount, .mountSource, .mountDestination, .mountMode, .mountIsWritable, .mountPropagation:
            guard let mount = choose(field, reference, in: record) else { return .none }
            switch field {
            case .mountSource: return text(mount.source)
            case .mountDestination: return text(mount.destination)
            case .mountMode: return text(mount.mode)
            case .mountIsWritable: return .bytes(mount.isWritable ? Bytes("true") : Bytes("false"))
            case .mountPropagation: return text(mount.propagation)
            default:
                scratch.begin()
                append(mount, of: record, &scratch)
                return .bytes(scratch.finish())
            }
        case .imageRepository: return text(record.imageRepository)
        case .imageTag: return text(record.imageTag)
        case .imageDigest: return text(record.imageDigest)
        case .healthcheck: return probe(record.healthcheck)
        case .livenessProbe: return probe(record.livenessProbe)
        case .readinessProbe: return probe(record.readinessProbe)
        case .startTime: return record.startedNs == 0 ? .none : .uint(record.startedNs)
        case .duration:
            let now = context.event.timestampNs
            return record.startedNs == 0 || now < record.startedNs ? .none : .uint(now - record.startedNs)
        case .address: return text(record.address)
        case .networkJSON: return text(record.networkJSON)
        case .hostPID: return record.usesHostPIDNamespace.map { .bool($0) } ?? .none
        case .hostNetwork: return record.usesHostNetwork.map { .bool($0) } ?? .none
        case .hostIPC: return record.usesHostIPC.map { .bool($0) } ?? .none
        case .label: return value(of: reference, in: record.labels, record)
        case .labels: return allLabels(record.labels, record, &scratch)
        // Nothing marks the processes that a runtime starts to look after a container.
        case .isHealthcheck, .isLivenessProbe, .isReadinessProbe: return .none
        }
    }

    static func value(of reference: FieldSelector, in labels: [ContainerRecord.Label], _ record: ContainerRecord) -> FieldValue {
        guard let key = reference.key else { return .none }
        for label in labels where record[label.key] == key { return .bytes(record[label.value]) }
        return .none
    }

    static func allLabels(
        _ labels: [ContainerRecord.Label], _ record: ContainerRecord, _ scratch: inout ExtractionScratch
    ) -> FieldValue {
        guard !labels.isEmpty else { return .none }
        scratch.begin()
        for label in labels {
            if scratch.openCount > 0 { scratch.append(", ") }
            scratch.append(record[label.key])
            scratch.append(UInt8(ascii: ":"))
            scratch.append(record[label.value])
        }
        return .bytes(scratch.finish())
    }

    private static func append(_ mount: ContainerRecord.Mount, of record: ContainerRecord, _ scratch: inout ExtractionScratch) {
        scratch.append(record[mount.source])
        scratch.append(UInt8(ascii: ":"))
        scratch.append(record[mount.destination])
        scratch.append(UInt8(ascii: ":"))
        scratch.append(record[mount.mode])
        scratch.append(mount.isWritable ? ":true:" : ":false:")
        scratch.append(record[mount.propagation])
    }

    /// By number, or the first whose source (for `mount.source`: whose destination) fits the pattern.
    private static func choose(_ field: ContainerField, _ reference: FieldSelector, in record: ContainerRecord)
        -> ContainerRecord.Mount?
    {
        if let number = reference.number {
            return number >= 0 && number < record.mounts.count ? record.mounts[Int(number)] : nil
        }
        guard let pattern = reference.key else { return nil }
        for mount in record.mounts {
            if fits(record[field == .mountSource ? mount.destination : mount.source], pattern) { return mount }
        }
        return nil
    }

    /// `*` stands for any bytes, `?` for one.
    static func fits(_ text: Bytes, _ pattern: Bytes) -> Bool {
        var at = 0
        var next = 0
        var star = -1
        var retry = 0
        while at < text.count {
            if next < pattern.count, pattern[next] == UInt8(ascii: "*") {
                star = next
                retry = at
                next += 1
            } else if next < pattern.count, pattern[next] == UInt8(ascii: "?") || pattern[next] == text[at] {
                at += 1
                next += 1
            } else if star >= 0 {
                retry += 1
                at = retry
                next = star + 1
            } else {
                return false
            }
        }
        while next < pattern.count, pattern[next] == UInt8(ascii: "*") { next += 1 }
        return next == pattern.count
    }
}

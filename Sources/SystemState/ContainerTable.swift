// SPDX-License-Identifier: Apache-2.0
import EventModel

/// What a container runtime tells of a container. Plain values: whoever fetches them fills one in and hands it to
/// `ContainerTable.add`.
public struct ContainerMetadata: Sendable {
    public struct Mount: Sendable {
        public var source: String
        public var destination: String
        public var mode: String
        public var isWritable: Bool
        public var propagation: String
        public init(source: String, destination: String, mode: String, isWritable: Bool, propagation: String) {
            self.source = source
            self.destination = destination
            self.mode = mode
            self.isWritable = isWritable
            self.propagation = propagation
        }
    }

    /// The pod that the container is part of.
    public struct Pod: Sendable {
        public var name = ""
        public var namespace = ""
        public var id = ""
        public var uid = ""
        public var sandboxID = ""
        public var address = ""
        public var networkJSON = ""
        public var labels: [(key: String, value: String)] = []
        public init() {}
    }

    /// As `container.id` shows it: `ContainerTable` finds the container under it.
    public var id = ""
    public var fullID = ""
    public var name = ""
    /// `docker`, `containerd`, `cri-o`, `podman`, …
    public var type = ""
    public var image = ""
    public var imageID = ""
    public var imageRepository = ""
    public var imageTag = ""
    public var imageDigest = ""
    public var address = ""
    public var networkJSON = ""
    public var isPrivileged: Bool?
    public var usesHostPIDNamespace: Bool?
    public var usesHostNetwork: Bool?
    public var usesHostIPC: Bool?
    public var healthcheck = ""
    public var livenessProbe = ""
    public var readinessProbe = ""
    /// Epoch nanoseconds, 0 unknown.
    public var startedNs: UInt64 = 0
    public var mounts: [Mount] = []
    public var labels: [(key: String, value: String)] = []
    public var pod: Pod?
    public init() {}
}

/// A container's metadata as the fields read it: immutable, its texts at fixed addresses for as long as the record lives.
public final class ContainerRecord: @unchecked Sendable {
    /// A text of the record.
    public struct Text: Sendable {
        fileprivate let start: Int32
        fileprivate let count: Int32
    }

    public struct Mount: Sendable {
        public let source, destination, mode, propagation: Text
        public let isWritable: Bool
    }

    public struct Label: Sendable {
        public let key, value: Text
    }

    public struct Pod: Sendable {
        public let name, namespace, id, uid, sandboxID, fullSandboxID, address, networkJSON: Text
        public let labels: [Label]
    }

    public let id, fullID, name, type, image, imageID, imageRepository, imageTag, imageDigest: Text
    public let address, networkJSON, healthcheck, livenessProbe, readinessProbe: Text
    public let isPrivileged, usesHostPIDNamespace, usesHostNetwork, usesHostIPC: Bool?
    public let startedNs: UInt64
    public let mounts: [Mount]
    public let labels: [Label]
    public let pod: Pod?
    private let storage: UnsafeMutablePointer<UInt8>
    /// What the record takes in memory, about.
    let byteCount: Int

    public init(_ metadata: ContainerMetadata) {
        var bytes: [UInt8] = []
        func keep(_ text: some StringProtocol) -> Text {
            defer { bytes.append(contentsOf: text.utf8) }
            return Text(start: Int32(bytes.count), count: Int32(text.utf8.count))
        }
        id = keep(metadata.id)
        fullID = keep(metadata.fullID)
        name = keep(metadata.name)
        type = keep(metadata.type)
        image = keep(metadata.image)
        imageID = keep(metadata.imageID)
        imageRepository = keep(metadata.imageRepository)
        imageTag = keep(metadata.imageTag)
        imageDigest = keep(metadata.imageDigest)
        address = keep(metadata.address)
        networkJSON = keep(metadata.networkJSON)
        healthcheck = keep(metadata.healthcheck)
        livenessProbe = keep(metadata.livenessProbe)
        readinessProbe = keep(metadata.readinessProbe)
        isPrivileged = metadata.isPrivileged
        usesHostPIDNamespace = metadata.usesHostPIDNamespace
        usesHostNetwork = metadata.usesHostNetwork
        usesHostIPC = metadata.usesHostIPC
        startedNs = metadata.startedNs
        mounts = metadata.mounts.map {
            Mount(
                source: keep($0.source), destination: keep($0.destination), mode: keep($0.mode),
                propagation: keep($0.propagation),
                isWritable: $0.isWritable)
        }
        labels = metadata.labels.map { Label(key: keep($0.key), value: keep($0.value)) }
        pod = metadata.pod.map { pod in
            Pod(
                name: keep(pod.name), namespace: keep(pod.namespace), id: keep(pod.id), uid: keep(pod.uid),
                sandboxID: keep(pod.sandboxID.prefix(12)), fullSandboxID: keep(pod.sandboxID), address: keep(pod.address),
                networkJSON: keep(pod.networkJSON), labels: pod.labels.map { Label(key: keep($0.key), value: keep($0.value)) })
        }
        byteCount = 1024 + bytes.count + 64 * (mounts.count + labels.count + (pod?.labels.count ?? 0))
        storage = .allocate(capacity: max(1, bytes.count))
        storage.initialize(from: bytes, count: bytes.count)
    }

    deinit { storage.deallocate() }

    public subscript(text: Text) -> Bytes { Bytes(base: storage + Int(text.start), count: Int(text.count)) }
}

/// Containers by id: what events of a capture tell, and what something that asks container runtimes adds between two batches.
public final class ContainerTable {
    private var records: [UInt64: [ContainerRecord]] = [:]
    private let seed = UInt64.random(in: 1...UInt64.max)
    public private(set) var count = 0
    /// Memory for the texts of all containers; one that finds no room is refused and counted.
    public let bytesMax: Int
    public private(set) var bytesHeld = 0
    public private(set) var refused: UInt64 = 0

    public init(bytesMax: Int = 64 << 20) { self.bytesMax = bytesMax }

    /// The container of this id as `SystemState.containerID(of:)` writes it. O(1), no allocation.
    public func find(_ id: Bytes) -> ContainerRecord? {
        guard count > 0, let bucket = records[id.hash(seed: seed)] else { return nil }
        for record in bucket where record[record.id] == id { return record }
        return nil
    }

    /// Adds a container, or replaces what was known of it.
    public func add(_ record: ContainerRecord) {
        remove(record[record.id])
        guard bytesHeld + record.byteCount <= bytesMax else {
            refused &+= 1
            return
        }
        bytesHeld += record.byteCount
        records[record[record.id].hash(seed: seed), default: []].append(record)
        count += 1
    }

    public func removeAll() {
        records = [:]
        (count, bytesHeld) = (0, 0)
    }

    public func remove(_ id: Bytes) {
        let hash = id.hash(seed: seed)
        guard let index = records[hash]?.firstIndex(where: { $0[$0.id] == id }) else { return }
        bytesHeld -= records[hash]!.remove(at: index).byteCount
        if records[hash]!.isEmpty { records[hash] = nil }
        count -= 1
    }
}

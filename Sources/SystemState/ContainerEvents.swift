// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// Container metadata in captures: an event with JSON, or an asynchronous event named `container` with the same JSON.
extension SystemState {
    func applyContainerEvent(_ event: EventView) {
        let json: Bytes?
        switch event.type {
        case PPME_CONTAINER_JSON_E, PPME_CONTAINER_JSON_2_E: json = event.text(0)
        case PPME_ASYNCEVENT_E:
            guard let name = event.text(1), name == "container" else { return }
            json = event.parameter(2)?.untilNul
        default: return
        }
        guard let json, let tree = JSONTree(json), let metadata = ContainerMetadata(tree["container"] ?? tree) else { return }
        containers.add(ContainerRecord(metadata))
    }
}

extension ContainerMetadata {
    /// Kinds of containers by the number that recordings have.
    private static let types: [Int64: String] = [
        0: "docker", 1: "lxc", 2: "libvirt-lxc", 3: "mesos", 4: "rkt", 5: "custom", 6: "cri", 7: "containerd", 8: "cri-o",
        9: "bpm",
        10: "static", 11: "podman",
    ]

    /// Nil without an id: nobody could find it.
    init?(_ tree: JSONTree) {
        guard let id = tree["id"]?.text, !id.isEmpty else { return nil }
        self.init()
        func text(_ key: String) -> String { tree[key]?.text ?? "" }
        self.id = id
        fullID = text("full_id")
        name = text("name")
        type = tree["type"]?.text ?? tree["type"]?.number.flatMap { Self.types[$0] } ?? ""
        image = text("image")
        imageID = text("imageid")
        imageRepository = text("imagerepo")
        imageTag = text("imagetag")
        imageDigest = text("imagedigest")
        address = text("ip")
        networkJSON = text("cni_json")
        isPrivileged = tree["privileged"]?.bool
        usesHostPIDNamespace = tree["host_pid"]?.bool
        usesHostNetwork = tree["host_network"]?.bool
        usesHostIPC = tree["host_ipc"]?.bool
        healthcheck = Self.command(tree["Healthcheck"])
        livenessProbe = Self.command(tree["LivenessProbe"])
        readinessProbe = Self.command(tree["ReadinessProbe"])
        if let seconds = tree["created_time"]?.number, seconds > 0 {
            startedNs = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
        }
        mounts = (tree["Mounts"]?.list ?? []).map { mount in
            Mount(
                source: mount["Source"]?.text ?? "", destination: mount["Destination"]?.text ?? "",
                mode: mount["Mode"]?.text ?? "", isWritable: mount["RW"]?.bool ?? false,
                propagation: mount["Propagation"]?.text ?? "")
        }
        labels = Self.labels(tree["labels"])
        pod = Self.pod(of: tree, labels)
    }

    private static func labels(_ tree: JSONTree?) -> [(key: String, value: String)] {
        (tree?.members ?? []).compactMap { member in member.value.text.map { (member.key, $0) } }
    }

    /// A probe's command line.
    private static func command(_ tree: JSONTree?) -> String {
        guard let exe = tree?["exe"]?.text else { return "" }
        return ([exe] + (tree?["args"]?.list ?? []).compactMap(\.text)).joined(separator: " ")
    }

    /// Orchestrators label a pod's containers with the pod.
    private static func pod(of tree: JSONTree, _ labels: [(key: String, value: String)]) -> Pod? {
        func label(_ key: String) -> String { labels.last { $0.key == "io.kubernetes.pod." + key }?.value ?? "" }
        var pod = Pod()
        pod.name = label("name")
        pod.namespace = label("namespace")
        pod.uid = label("uid")
        // The older field has the unique id under this name.
        pod.id = pod.uid
        pod.sandboxID = tree["pod_sandbox_id"]?.text ?? ""
        if pod.name.isEmpty, pod.sandboxID.isEmpty { return nil }
        pod.address = tree["ip"]?.text ?? ""
        pod.networkJSON = tree["pod_sandbox_cniresult"]?.text ?? tree["cni_json"]?.text ?? ""
        pod.labels = self.labels(tree["pod_sandbox_labels"])
        return pod
    }
}

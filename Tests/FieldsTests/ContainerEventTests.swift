// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import Fields

/// What captures tell of containers, as rules see it.
@Suite struct ContainerEventTests {
    static let json = """
        {"container":{"Mounts":[{"Destination":"/data","Mode":"ro","Propagation":"rprivate","RW":false,"Source":"/srv/data"},
        {"Destination":"/run/docker.sock","Mode":"","Propagation":"rslave","RW":true,"Source":"/var/run/docker.sock"}],
        "cni_json":"{}","created_time":1599999990,"full_id":"\(Scene.containerID)","id":"\(Scene.containerID.prefix(12))",
        "image":"reg.io/web:1","imagedigest":"sha256:11","imageid":"22","imagerepo":"reg.io/web","imagetag":"1",
        "ip":"172.17.0.2","privileged":true,"host_pid":false,"host_network":true,"host_ipc":false,"name":"web \\"\\u00e9\\"",
        "labels":{"io.kubernetes.pod.name":"web-0","io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"u-1","tier":"a"},
        "pod_sandbox_id":"0123456789abcdef","pod_sandbox_labels":{"app":"web"},"pod_sandbox_cniresult":"{\\"x\\":1}",
        "Healthcheck":{"exe":"/bin/sh","args":["-c","true"]},"type":7}}

        """
    static let expected: [(field: String, text: String)] = [
        ("container.id", String(Scene.containerID.prefix(12))), ("container.full_id", Scene.containerID),
        ("container.name", "web \"é\""), ("container.image", "reg.io/web:1"), ("container.image.id", "22"),
        ("container.type", "containerd"), ("container.privileged", "true"),
        (
            "container.mounts",
            "/srv/data:/data:ro:false:rprivate,/var/run/docker.sock:/run/docker.sock::true:rslave"
        ), ("container.mount[1]", "/var/run/docker.sock:/run/docker.sock::true:rslave"),
        ("container.mount[/srv/*]", "/srv/data:/data:ro:false:rprivate"), ("container.mount.source[/data]", "/srv/data"),
        ("container.mount.dest[/srv/data]", "/data"), ("container.mount.mode[0]", "ro"), ("container.mount.rdwr[1]", "true"),
        ("container.mount.propagation[/var/run/docker.sock]", "rslave"), ("container.mount[2]", "<NA>"),
        ("container.image.repository", "reg.io/web"), ("container.image.tag", "1"), ("container.image.digest", "sha256:11"),
        ("container.healthcheck", "/bin/sh -c true"), ("container.liveness_probe", "NONE"),
        ("container.readiness_probe", "NONE"), ("container.start_ts", "1599999990000000000"),
        ("container.duration", "10000002000"), ("container.ip", "172.17.0.2"), ("container.cni.json", "{}"),
        ("container.host_pid", "false"), ("container.host_network", "true"), ("container.host_ipc", "false"),
        ("container.label[tier]", "a"), ("container.label[none]", "<NA>"), ("k8s.pod.name", "web-0"), ("k8s.ns.name", "shop"),
        ("k8s.pod.id", "u-1"), ("k8s.pod.uid", "u-1"), ("k8s.pod.sandbox_id", "0123456789ab"),
        ("k8s.pod.full_sandbox_id", "0123456789abcdef"), ("k8s.pod.label[app]", "web"), ("k8s.pod.labels", "app:web"),
        ("k8s.pod.ip", "172.17.0.2"), ("k8s.pod.cni.json", "{\"x\":1}"), ("k8s.svc.name", "<NA>"),
    ]

    @Test func metadataFromAnEvent() throws {
        let scene = Scene()
        try scene.event(PPME_CONTAINER_JSON_2_E, tid: 200) { $0.append(text: Self.json) }
        let got = try scene.event(PPME_SOCKET_GETSOCKNAME_X, tid: 200, Self.expected.map(\.field)) { _ in }
        for (value, row) in zip(got, Self.expected) { #expect(value == row.text, "\(row.field)") }
        // The host's own processes have none of it.
        #expect(
            try scene.event(PPME_SOCKET_GETSOCKNAME_X, tid: 100, ["container.name", "container.image"]) { _ in } == [
                "host", "<NA>",
            ])
    }

    @Test func metadataFromAnAsynchronousEvent() throws {
        let scene = Scene()
        try scene.event(PPME_ASYNCEVENT_E, tid: 200) { builder in
            builder.append(UInt32(0))
            builder.append(text: "container")
            builder.append(text: Self.json)
        }
        #expect(try scene.event(PPME_SOCKET_GETSOCKNAME_X, tid: 200, ["container.image.tag"]) { _ in } == ["1"])
    }

    /// Cut anywhere it is no JSON, and nothing is known; deep nesting ends.
    @Test func damagedMetadata() throws {
        let scene = Scene()
        let whole = Array(Self.json.utf8).dropLast()
        for length in stride(from: 0, to: whole.count - 1, by: 7) {
            try scene.event(PPME_CONTAINER_JSON_2_E, tid: 200) { $0.append(raw: Array(whole.prefix(length)) + [0]) }
        }
        for text in [
            String(repeating: "[", count: 5000), "{\"id\":\"\\u12\"}", "{\"id\":\"\\ud800\\u\"}", "{\"id\":1e999}",
            "{\"id\":\"a\",}", "{\"container\":{\"id\":\"\(Scene.containerID.prefix(12))\"} x", "nul", "-",
        ] {
            try scene.event(PPME_CONTAINER_JSON_2_E, tid: 200) { $0.append(text: text) }
        }
        #expect(scene.state.containers.count == 0)
        #expect(try scene.event(PPME_SOCKET_GETSOCKNAME_X, tid: 200, ["container.name"]) { _ in } == ["<NA>"])
    }
}

// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import SystemState
import Testing

@testable import Fields

@Suite struct DescriptorFieldTests {
    @Test func everyRowHasAUniqueName() {
        let rows = DescriptorField.classes.flatMap(\.rows)
        #expect(rows.count == DescriptorField.allCases.count && rows.count == 46)
        #expect(Set(rows.map(\.name)).count == 46)
        #expect(rows.map(\.field) == DescriptorField.allCases)
        #expect(PathField.classes.flatMap(\.rows).map(\.field) == PathField.allCases)
        #expect(DescriptorListField.classes.flatMap(\.rows).map(\.field) == DescriptorListField.allCases)
        #expect(ContainerField.classes.flatMap(\.rows).map(\.field) == ContainerField.allCases)
        #expect(KubernetesField.classes.flatMap(\.rows).map(\.field) == KubernetesField.allCases)
    }

    @Test func file() throws {
        let scene = Scene()
        let got = try scene.open(
            "/etc//passwd", fd: 3, dev: 0x10_3007, ino: 7_479_253_124,
            [
                "fd.num", "fd.type", "fd.typechar", "fd.name", "fd.directory", "fd.filename", "fd.nameraw", "fd.dev",
                "fd.dev.major",
                "fd.dev.minor", "fd.ino", "fd.uid", "fd.is_server", "fd.connected", "fd.l4proto", "fd.sockfamily", "fd.cip",
                "fd.cport",
                "fd.containername", "fd.containerdirectory", "fd.types", "fd.types[3]", "fd.types[9]",
            ])
        #expect(
            got == [
                "3", "file", "f", "/etc/passwd", "/etc", "passwd", "/etc/passwd", "103007", "48", "263", "7479253124", "1003",
                "false",
                "false", "<NA>", "<NA>", "<NA>", "<NA>", ":/etc/passwd", ":/etc", "(file)", "(file)", "<NA>",
            ])
    }

    @Test(arguments: [("/a", "/", "a"), ("/a/b", "/a", "b"), ("/a/b/c.d", "/a/b", "c.d")])
    func directoryAndName(of path: String, are directory: String, _ name: String) throws {
        #expect(try Scene().open(path, fd: 3, ["fd.directory", "fd.filename"]) == [directory, name])
    }

    /// The call failed: what it asked for is shown all the same.
    @Test func failedOpens() throws {
        let scene = Scene()
        let fields = ["fd.num", "fd.name", "fd.directory", "fd.filename", "fd.typechar", "fd.type", "fd.nameraw"]
        #expect(try scene.open("x/y", fd: -2, fields) == ["-1", "/root/x/y", "/root/x", "<NA>", "o", "<NA>", "/root/x/y"])
        #expect(
            try scene.openat("x/../y", dirfd: -100, fd: -2, fields) == ["-1", "/root/y", "/root", "<NA>", "f", "<NA>", "x/../y"])
        #expect(try scene.openat("y", dirfd: 77, fd: -2, ["fd.name"]) == ["<UNKNOWN>y"])
    }

    @Test func connections() throws {
        let scene = Scene()
        let fields = [
            "fd.name", "fd.type", "fd.cip", "fd.cport", "fd.sip", "fd.sport", "fd.lip", "fd.lport", "fd.rip", "fd.rport",
            "fd.l4proto",
            "fd.sockfamily", "fd.is_server", "fd.connected", "fd.cproto", "fd.sproto", "fd.lproto", "fd.rproto", "fd.types",
        ]
        try scene.socket(fd: 5)
        #expect(
            try scene.connect(fd: 5, tuple: Scene.tuple([127, 0, 0, 1], 40000, [8, 8, 4, 4], 443), fields) == [
                "127.0.0.1:40000->8.8.4.4:443", "ipv4", "127.0.0.1", "40000", "8.8.4.4", "443", "127.0.0.1", "40000", "8.8.4.4",
                "443",
                "tcp", "ip", "false", "true", "40000", "443", "40000", "443", "(ipv4)",
            ])
        // The end that connected is not ours: then the other is.
        try scene.socket(fd: 6, domain: 10)
        let far = [UInt8](repeating: 0, count: 15) + [1]
        #expect(
            try scene.connect(
                fd: 6, tuple: Scene.tuple(far, 1, [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [3], 80), fields)
                == [
                    "::1:1->2001:db8::3:80", "ipv6", "::1", "1", "2001:db8::3", "80", "2001:db8::3", "80", "::1", "1", "tcp",
                    "ip",
                    "false", "true", "1", "80", "80", "1", "(ipv4,ipv6)",
                ])
    }

    @Test func socketBeforeItsConnection() throws {
        let scene = Scene()
        let got = try scene.event(
            PPME_SOCKET_SOCKET_X, ["fd.type", "fd.cip", "fd.sport", "fd.l4proto", "fd.name", "fd.connected"]
        ) { e in
            e.append(Int64(4))
            for value: UInt32 in [2, 1, 0] { e.append(value) }
        }
        #expect(got == ["ipv4", "<NA>", "<NA>", "<NA>", "", "false"])
    }

    /// The socket keeps its name; one that nobody knows has that of the attempt.
    @Test func failedConnect() throws {
        let scene = Scene()
        try scene.socket(fd: 5)
        let tuple = Scene.tuple([127, 0, 0, 1], 1, [127, 0, 0, 1], 9)
        #expect(try scene.connect(fd: 5, result: -111, tuple: tuple, ["fd.name"]) == [""])
        #expect(try scene.connect(fd: 6, result: -111, tuple: tuple, ["fd.name"]) == ["127.0.0.1:1->127.0.0.1:9"])
        #expect(try scene.connect(fd: 6, result: -111, tuple: [], ["fd.name"]) == ["NULL"])
    }

    @Test func bothEndsAreCandidates() throws {
        let scene = Scene()
        try scene.socket(fd: 5)
        try scene.connect(fd: 5, tuple: Scene.tuple([127, 0, 0, 1], 40000, [8, 8, 4, 4], 443), [])
        // Filter only: no output shows them, a check reads both.
        #expect(throws: FieldError("unknown filter: fd.ip is filter only and cannot be used as a display field")) {
            try OutputTemplate("%fd.ip", catalogue: .builtin)
        }
    }

    @Test func otherEventsHaveNone() throws {
        let scene = Scene()
        try scene.open("/x", fd: 3)
        let got = try scene.event(PPME_SYSCALL_MKDIR_2_X, ["fd.num", "fd.name", "fd.typechar", "fd.types"]) { e in
            e.append(Int64(0))
            e.append(text: "/d")
            e.append(UInt32(0))
        }
        #expect(got == ["<NA>", "<NA>", "<NA>", "<NA>"])
    }

    @Test func pollLists() throws {
        let scene = Scene()
        try scene.open("/etc/passwd", fd: 3)
        try scene.socket(fd: 5)
        try scene.connect(fd: 5, tuple: Scene.tuple([127, 0, 0, 1], 40000, [8, 8, 4, 4], 443), [])
        func poll(_ list: [UInt8]) throws -> [String] {
            try scene.event(
                PPME_SYSCALL_POLL_X,
                ["fdlist.nums", "fdlist.names", "fdlist.cips", "fdlist.sips", "fdlist.cports", "fdlist.sports"]
            ) { e in
                e.append(Int64(1))
                e.append(raw: list)
                e.append(Int64(0))
            }
        }
        func entry(_ fd: UInt8) -> [UInt8] { [fd, 0, 0, 0, 0, 0, 0, 0, 1, 0] }
        #expect(
            try poll([3, 0] + entry(3) + entry(5) + entry(9)) == [
                "3,5,9", "/etc/passwd,127.0.0.1:40000->8.8.4.4:443,<NA>", "127.0.0.1", "8.8.4.4", "40000", "443",
            ])
        // A count that the bytes do not hold.
        #expect(try poll([255, 255] + entry(3)) == ["3", "/etc/passwd", "<NA>", "<NA>", "<NA>", "<NA>"])
        #expect(try poll([]) == ["<NA>", "<NA>", "<NA>", "<NA>", "<NA>", "<NA>"])
    }
}

@Suite struct PathFieldTests {
    static let names = [
        "fs.path.name", "fs.path.nameraw", "fs.path.source", "fs.path.sourceraw", "fs.path.target", "fs.path.targetraw",
    ]
    static let none = [String](repeating: "<NA>", count: 6)

    @Test func onePath() throws {
        let scene = Scene()
        func mkdir(_ path: String, result: Int64 = 0) throws -> [String] {
            try scene.event(PPME_SYSCALL_MKDIR_2_X, Self.names) { e in
                e.append(result)
                e.append(text: path)
                e.append(UInt32(0))
            }
        }
        #expect(try mkdir("/tmp/d") == ["/tmp/d", "/tmp/d", "<NA>", "<NA>", "<NA>", "<NA>"])
        #expect(try mkdir("a/../b") == ["/root/b", "a/../b", "<NA>", "<NA>", "<NA>", "<NA>"])
        #expect(try mkdir("/tmp/d", result: -17) == Self.none)
    }

    @Test func relativeToADescriptor() throws {
        let scene = Scene()
        try scene.open("/srv/data", fd: 7, flags: 1024)
        func unlinkat(_ path: String, dirfd: Int64) throws -> [String] {
            try scene.event(PPME_SYSCALL_UNLINKAT_2_X, ["fs.path.name", "fs.path.nameraw"]) { e in
                e.append(Int64(0))
                e.append(dirfd)
                e.append(text: path)
                e.append(UInt32(0))
            }
        }
        #expect(try unlinkat("x//./y", dirfd: 7) == ["/srv/data/x/y", "x//./y"])
        #expect(try unlinkat("/abs", dirfd: 7) == ["/abs", "/abs"])
        #expect(try unlinkat("x", dirfd: 8) == ["<UNKNOWN>x", "x"])
        #expect(try unlinkat("x", dirfd: -100) == ["<UNKNOWN>x", "x"])
    }

    @Test func twoPaths() throws {
        let scene = Scene()
        func call(_ type: ppm_event_code, _ first: String, _ second: String) throws -> [String] {
            try scene.event(type, Array(Self.names[2...])) { e in
                e.append(Int64(0))
                e.append(text: first)
                e.append(text: second)
            }
        }
        #expect(try call(PPME_SYSCALL_RENAME_X, "a", "/b") == ["/root/a", "a", "/b", "/b"])
        // A new link is the source, what it stands for the target.
        #expect(try call(PPME_SYSCALL_LINK_2_X, "/old", "new") == ["/root/new", "new", "/old", "/old"])
        #expect(try call(PPME_SYSCALL_SYMLINK_X, "to", "/link") == ["/link", "/link", "/root/to", "to"])
    }

    @Test func opens() throws {
        let scene = Scene()
        let fields = ["fs.path.name", "fs.path.nameraw"]
        #expect(try scene.open("x", fd: 3, fields) == ["/root/x", "x"])
        #expect(try scene.open("x", fd: -13, fields) == ["/root/x", "x"])
        #expect(try scene.open("x", fd: -1, fields) == ["<NA>", "<NA>"])
        #expect(try scene.openat("x", dirfd: -100, fd: 4, fields) == ["/root/x", "x"])
        #expect(try scene.openat("x", dirfd: -100, fd: -2, fields) == ["<UNKNOWN>", "x"])
        #expect(try scene.openat("/a/../x", dirfd: -100, fd: -2, fields) == ["/x", "/a/../x"])
    }
}

@Suite struct ContainerFieldTests {
    private func look(_ scene: Scene, tid: Int64, _ fields: [String]) throws -> [String] {
        try scene.open("/x", fd: 3, tid: tid, fields)
    }

    @Test func host() throws {
        let fields = [
            "container.id", "container.full_id", "container.name", "container.type", "container.image", "container.privileged",
        ]
        #expect(try look(Scene(), tid: 100, fields) == ["host", "host", "host", "host", "<NA>", "<NA>"])
    }

    @Test func withoutMetadata() throws {
        #expect(
            try look(
                Scene(), tid: 200, ["container.id", "container.full_id", "container.name", "container.image", "fd.containername"])
                == ["ab12ab12ab12", Scene.containerID, "<NA>", "<NA>", "ab12ab12ab12:/x"])
    }

    @Test func withMetadata() throws {
        let scene = Scene()
        var metadata = ContainerMetadata()
        metadata.id = "ab12ab12ab12"
        metadata.name = "web"
        metadata.type = "docker"
        metadata.image = "nginx:1.2"
        metadata.imageRepository = "nginx"
        metadata.imageTag = "1.2"
        metadata.isPrivileged = true
        metadata.startedNs = 1_600_000_000_000_000_000
        metadata.labels = [("app", "shop"), ("tier", "front")]
        metadata.mounts = [
            .init(source: "/var/run", destination: "/run", mode: "ro", isWritable: false, propagation: "rprivate"),
            .init(source: "/srv", destination: "/data", mode: "", isWritable: true, propagation: "rshared"),
        ]
        var pod = ContainerMetadata.Pod()
        pod.name = "web-1"
        pod.namespace = "shop"
        pod.sandboxID = "0123456789abcdef"
        pod.labels = [("pod", "label")]
        metadata.pod = pod
        scene.state.containers.add(ContainerRecord(metadata))
        let rows = [
            ("container.name", "web"), ("container.type", "docker"), ("container.image", "nginx:1.2"),
            ("container.image.repository", "nginx"), ("container.image.tag", "1.2"), ("container.image.digest", "<NA>"),
            ("container.privileged", "true"), ("container.host_network", "<NA>"), ("container.start_ts", "1600000000000000000"),
            ("container.duration", "1000"), ("container.label[app]", "shop"), ("container.label[no]", "<NA>"),
            ("container.labels", "app:shop, tier:front"),
            ("container.mounts", "/var/run:/run:ro:false:rprivate,/srv:/data::true:rshared"),
            ("container.mount[1]", "/srv:/data::true:rshared"), ("container.mount[2]", "<NA>"),
            ("container.mount[/var/*]", "/var/run:/run:ro:false:rprivate"), ("container.mount.dest[/srv]", "/data"),
            ("container.mount.source[/run]", "/var/run"), ("container.mount.rdwr[/sr?]", "true"),
            ("k8s.pod.name", "web-1"), ("k8s.ns.name", "shop"), ("k8s.pod.sandbox_id", "0123456789ab"),
            ("k8s.pod.full_sandbox_id", "0123456789abcdef"), ("k8s.pod.label[pod]", "label"), ("k8s.pod.labels", "pod:label"),
            ("k8s.deployment.name", "<NA>"),
        ]
        #expect(try look(scene, tid: 200, rows.map(\.0)) == rows.map(\.1))
        scene.state.containers.remove(scene.state.containers.find(Bytes("ab12ab12ab12")).map { $0[$0.id] } ?? .empty)
        #expect(scene.state.containers.count == 0)
        #expect(try look(scene, tid: 200, ["container.name"]) == ["<NA>"])
    }

    @Test(arguments: [
        ("", "", true), ("a", "", false), ("abc", "a*c", true), ("abc", "a*d", false), ("abc", "*", true), ("abc", "???", true),
        ("ab", "???", false), ("aXbXc", "a*b*c", true), ("abcabd", "*abd", true), ("/var/lib", "/var*", true),
    ])
    func pattern(_ text: String, _ pattern: String, _ fits: Bool) {
        let (text, pattern) = (FieldKey(text), FieldKey(pattern))
        #expect(ContainerField.fits(text.bytes, pattern.bytes) == fits)
    }
}

// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import Fields

/// Accounts of the host and of a container that share their numbers.
@Suite struct ContainerAccountTests {
    private static let fields = ["user.name", "user.homedir", "user.shell", "group.name", "user.loginname"]

    private func addUser(_ scene: Scene, _ name: String, _ container: String, _ type: ppm_event_code = PPME_USER_ADDED_E) throws {
        try scene.event(type) { builder in
            for number: UInt32 in [7, 8] { builder.append(number) }
            for text in [name, "/home/\(name)", "/bin/\(name)", container] { builder.append(text: text) }
        }
    }
    private func addGroup(_ scene: Scene, _ name: String, _ container: String, _ type: ppm_event_code = PPME_GROUP_ADDED_E) throws
    {
        try scene.event(type) { builder in
            builder.append(UInt32(8))
            for text in [name, container] { builder.append(text: text) }
        }
    }

    @Test func namesAreTheContainersOwn() throws {
        let scene = Scene()
        let inside = String(Scene.containerID.prefix(12))
        for tid: Int64 in [100, 200] {
            try scene.event(PPME_SYSCALL_SETUID_X, tid: tid) { builder in
                builder.append(Int64(0))
                builder.append(UInt32(7))
            }
            try scene.event(PPME_SYSCALL_SETGID_X, tid: tid) { builder in
                builder.append(Int64(0))
                builder.append(UInt32(8))
            }
        }
        func names(_ tid: Int64) throws -> [String] {
            try scene.event(PPME_SOCKET_GETSOCKNAME_X, tid: tid, Self.fields) { _ in }
        }
        let nobody = ["<NA>", "<NA>", "<NA>", "<NA>", "<NA>"]
        #expect(try names(200) == nobody)
        // The host's recorder knew no name, and that is what it knew.
        try addUser(scene, "<NA>", "")
        #expect(try names(100).first == "<NA>" && names(200).first == "<NA>")
        try addUser(scene, "ada", "")
        try addGroup(scene, "lab", "")
        let host = ["ada", "/home/ada", "/bin/ada", "lab", "<NA>"]
        #expect(try names(100) == host)
        // What the container does not tell is the host's.
        #expect(try names(200) == host)
        // A recorder that found no name tells nothing.
        try addUser(scene, "<NA>", inside)
        try addGroup(scene, "<NA>", inside)
        #expect(try names(200) == host)
        try addUser(scene, "bob", inside)
        try addGroup(scene, "crew", inside)
        #expect(try names(200) == ["bob", "/home/bob", "/bin/bob", "crew", "<NA>"])
        #expect(try names(100) == host)
        let argument = try scene.event(PPME_SYSCALL_SETUID_X, tid: 200, ["evt.arg.uid"]) { builder in
            builder.append(Int64(0))
            builder.append(UInt32(7))
        }
        #expect(argument == ["bob"])
        try addUser(scene, "", inside, PPME_USER_DELETED_E)
        try addGroup(scene, "", "", PPME_GROUP_DELETED_E)
        #expect(try names(200) == ["ada", "/home/ada", "/bin/ada", "crew", "<NA>"])
        #expect(try names(100) == ["ada", "/home/ada", "/bin/ada", "<NA>", "<NA>"])
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import CaptureProbe

/// Why live tests cannot run here, nil where they can. Said once, in one line.
let liveObstacle: String? = {
    guard case .unavailable(let reason) = ProbeSource.probeSupport() else { return nil }
    print("live end-to-end tests are skipped: \(reason)")
    return reason
}()

/// Loading a probe takes a core for a moment; several at once make each other late.
@Suite(.serialized) struct EndToEnd {}

/// The conformance captures, where this machine has them.
let captures: String? = {
    var folder = URL(filePath: #filePath).deletingLastPathComponent()
    while folder.path != "/" {
        folder.deleteLastPathComponent()
        let candidate = folder.appending(path: "shared/conformance/captures/files").path
        if FileManager.default.fileExists(atPath: candidate) { return candidate }
    }
    print("tests on captures are skipped: there is no shared/conformance beside the repository")
    return nil
}()

/// The default rules' folder.
let rulesFolder = URL(filePath: #filePath).appending(path: "../../../rules").standardized.path

/// One run of the program to its end.
struct FalcoRun {
    let status: Int32
    let lines: [String]
    let errors: String
    /// Lines before the final statistics.
    var alerts: [String] { Array(lines.prefix { !$0.hasPrefix("Events detected: ") }) }
    var detected: Int? {
        lines.last { $0.hasPrefix("Events detected: ") }.flatMap { Int($0.dropFirst("Events detected: ".count)) }
    }

    /// The program, built beside the tests.
    static let program: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path
        let candidates = [(own as NSString).deletingLastPathComponent + "/falco", root + "/.build/debug/falco"]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[1]
    }()

    /// `arguments` as a shell would pass them; what is said in the system log stays out of it.
    init(_ arguments: [String], in folder: Scratch, environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = URL(filePath: Self.program)
        process.arguments = Self.withoutSyslog(arguments)
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", "TZ": "UTC"].merging(environment) { $1 }
        let (out, err) = (folder.path + "/.out", folder.path + "/.err")
        for path in [out, err] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        try process.run()
        let deadline = Date(timeIntervalSinceNow: 300)
        while process.isRunning, Date() < deadline { usleep(10_000) }
        if process.isRunning {
            Issue.record("falco \(arguments.joined(separator: " ")) does not end")
            kill(process.processIdentifier, SIGKILL)
        }
        process.waitUntilExit()
        status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        func text(_ path: String) -> String {
            String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        }
        lines = text(out).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        errors = text(err)
    }

    private static func withoutSyslog(_ arguments: [String]) -> [String] {
        let quiet = ["-o", "syslog_output.enabled=false", "-o", "log_syslog=false"]
        guard let verb = arguments.first, ["run", "record"].contains(verb) else { return quiet + arguments }
        return [verb] + quiet + arguments.dropFirst()
    }
}

/// An own directory for the length of a test.
final class Scratch {
    let path: String
    init() {
        path = FileManager.default.temporaryDirectory.path + "/falco-end-to-end-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    /// Writes a file and returns its path.
    func file(_ name: String, _ content: String) -> String { file(name, Data(content.utf8)) }
    func file(_ name: String, _ content: Data) -> String {
        _ = FileManager.default.createFile(atPath: path + "/" + name, contents: content)
        return path + "/" + name
    }
}

/// A cgroup with the name of a container's, where this machine lets us make one. Older hierarchies come first: where there are some,
/// containers are in them too.
final class ContainerGroup {
    let path: String
    init?() {
        let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
        let rows = mounts.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count > 3 }
        let old = rows.first { $0[2] == "cgroup" && $0[3].split(separator: ",").contains("cpu") }
        guard let mount = old ?? rows.first(where: { $0[2] == "cgroup2" }) else {
            print("a test in a container's cgroup is skipped: no cgroup hierarchy is mounted")
            return nil
        }
        // Another run of these tests makes another one.
        let id = (0..<64).map { _ in String(UInt8.random(in: 0..<16), radix: 16) }.joined()
        path = "\(mount[1])/docker-\(id).scope"
        guard mkdir(path, 0o755) == 0 else {
            print("a test in a container's cgroup is skipped: no cgroup can be made in \(mount[1])")
            return nil
        }
    }
    deinit {
        // The kernel lets go of it when its last process is reaped.
        for _ in 0..<100 where rmdir(path) != 0 && errno == EBUSY { usleep(10_000) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Rules of this repository that no formatter sees.
@Suite struct TidyTests {
    static let root = URL(filePath: #filePath).appending(path: "../../..").standardized

    /// A room: its name, and what Package.swift lets it depend on.
    struct Room {
        let name: String
        let dependencies: Set<String>
    }

    /// Reads `.target(name: "X", dependencies: [...])` and the shorthands `room("X", [...])` and `dataRoom` of Package.swift.
    static func rooms() throws -> [Room] {
        let text = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
        let package = String(text[(text.range(of: "targets: [")?.upperBound ?? text.startIndex)...])
        let calls = try Regex(#"(?:(?:room|dataRoom)\(|\.target\(\s*name:|\.executableTarget\(\s*name:)\s*"(\w+)""#)
        let starts = package.matches(of: calls)
        let all = starts.indices.map { index in
            let start = starts[index].range.upperBound
            let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : package.endIndex
            var body = String(package[start..<end])
            if let tests = body.range(of: #"\n\s*(tests\(|\.testTarget|\.plugin)"#, options: .regularExpression) {
                body = String(body[..<tests.lowerBound])
            }
            let names = body.matches(of: /"(\w+)"/).map { String($0.1) }
            return Room(name: String(starts[index].output[1].substring!), dependencies: Set(names))
        }
        // Helpers of tests are no rooms.
        return all.filter { FileManager.default.fileExists(atPath: root.appending(path: "Sources/\($0.name)").path) }
    }

    static func files(_ folder: String, _ suffixes: [String]) -> [String] {
        let base = root.appending(path: folder)
        guard let walker = FileManager.default.enumerator(atPath: base.path) else { return [] }
        return walker.compactMap { $0 as? String }
            .filter { path in suffixes.contains { path.hasSuffix($0) } && !path.contains(".build/") }
            .map { folder + "/" + $0 }.sorted()
    }
    static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

    static func imports(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index < 2, index + 1 < words.count, !line.hasPrefix("//") else {
                return nil
            }
            return String(words.last!)
        }
    }

    /// Per event: no Foundation, no YAML, nothing that allocates behind one's back.
    static let dataPlane: Set<String> = [
        "EventModel", "Capture", "CaptureFile", "CaptureProbe", "CaptureReplay", "SystemState", "Fields", "RuleEngine",
        "Recording", "Pipeline",
    ]
    /// `ProbeEmbed` runs while building.
    static let foundationIsFine: Set<String> = ["Rules", "Settings", "Agent", "Alerts", "ProbeEmbed"]
    /// C modules that a package's product brings along.
    static let comesWith = ["CYaml": "Yams"]
    static let systemModules: Set<String> = ["Glibc", "Synchronization", "Foundation", "FoundationEssentials", "Swift"]

    @Test func roomsAreFound() throws {
        let rooms = try Self.rooms()
        #expect(rooms.count > 15)
        #expect(rooms.first { $0.name == "RuleEngine" }?.dependencies.contains("FilterLanguage") == true)
        #expect(rooms.first { $0.name == "Outputs" }?.dependencies.contains("Agent") == false)
    }

    /// What a file imports, Package.swift allows its room: the direction can only be changed there, where it is seen.
    @Test func importsFollowPackage() throws {
        for room in try Self.rooms() {
            for file in Self.files("Sources/\(room.name)", [".swift"]) {
                for name in Self.imports(try Self.text(file)) where !Self.systemModules.contains(name) {
                    let owner = Self.comesWith[name] ?? name
                    #expect(
                        room.dependencies.contains(owner),
                        "\(file) imports \(name), which Package.swift does not give \(room.name)")
                }
            }
        }
    }

    @Test func dataPlaneKeepsClearOfFoundation() throws {
        for room in try Self.rooms() where !Self.foundationIsFine.contains(room.name) {
            for file in Self.files("Sources/\(room.name)", [".swift"]) {
                let names = Self.imports(try Self.text(file))
                #expect(!names.contains("Foundation") && !names.contains("FoundationEssentials"), "\(file) imports Foundation")
                if Self.dataPlane.contains(room.name) { #expect(!names.contains("Yams"), "\(file) imports Yams") }
            }
        }
    }

    /// Bytes → event → state → match → alert → output: an earlier room never knows a later one.
    @Test func roomsDependInOneDirection() throws {
        let order = [
            "CProbeABI", "CLinux", "Diagnostics", "EventModel", "LinuxSystem", "Capture", "CaptureFile", "CaptureReplay",
            "CaptureProbe",
            "SystemState", "FilterLanguage", "Fields", "RuleEngine", "Rules", "RuleLint", "Alerts", "Pipeline", "Outputs", "Settings",
            "Agent", "falco",
        ]
        let place = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        for room in try Self.rooms() {
            guard let own = place[room.name] else { continue }
            for name in room.dependencies {
                guard let other = place[name] else { continue }
                #expect(other < own, "\(room.name) depends on \(name), which comes later")
            }
        }
    }

    @Test func filesHaveALicenceAndAReasonableSize() throws {
        for folder in ["Sources", "Tests", "Plugins", "Probe", "Benchmarks", "Fuzz"] {
            for file in Self.files(folder, [".swift", ".c", ".h", ".cpp", ".def"]) {
                let text = try Self.text(file)
                #expect(text.prefix(200).contains("SPDX-License-Identifier: "), "\(file) has no SPDX line")
                // Tables are one thing however long they get.
                guard !file.hasSuffix(".def") else { continue }
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
                #expect(lines <= 700, "\(file) has \(lines) lines")
            }
        }
    }

    /// Our own rooms have a line in the map.
    @Test func everyRoomIsOnTheMap() throws {
        let map = try Self.text("Sources/README.md")
        for room in try Self.rooms() { #expect(map.contains("`\(room.name)`"), "Sources/README.md does not name \(room.name)") }
    }
}

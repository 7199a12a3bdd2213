// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// `make check` builds with FALCO_STRICT=1: every warning is an error.
let strict = Context.environment["FALCO_STRICT"] != nil
// `make fuzz` builds the rooms with coverage for libFuzzer (and `FALCO_FUZZ=fuzzer,address` with the address sanitizer).
let fuzzing: [SwiftSetting] = (Context.environment["FALCO_FUZZ"].map { [.unsafeFlags(["-sanitize=\($0)"])] }) ?? []
let plain: [SwiftSetting] = [.swiftLanguageMode(.v6)] + (strict ? [.unsafeFlags(["-warnings-as-errors"])] : [])
let swift = plain + fuzzing

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swift)
}
// Rooms that an event passes. One thread owns what they hold; whether an access overlaps another is checked in debug builds only.
let perEvent: [SwiftSetting] = swift + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
func dataRoom(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: perEvent)
}
func tests(_ room: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: room + "Tests", dependencies: [.byName(name: room)] + dependencies, swiftSettings: swift)
}

let package = Package(
    name: "falco",
    products: [
        .executable(name: "falco", targets: ["falco"]),
        // For Fuzz: what it feeds.
        .library(name: "HostileInput", targets: ["HostileInput"]),
        // For Benchmarks: rooms, not an interface for others.
        .library(
            name: "FalcoRooms",
            targets: [
                "CProbeABI", "EventModel", "Capture", "CaptureFile", "CaptureReplay", "SystemState", "Fields", "RuleEngine",
                "Rules",
                "Pipeline", "CaptureProbe", "LinuxSystem", "Agent",
            ]),
    ],
    dependencies: [.package(url: "https://github.com/jpsim/Yams", from: "6.2.2")],
    targets: [
        // C
        .target(name: "CProbeABI"),
        .target(name: "CLinux"),
        .target(
            name: "CRE2", cxxSettings: [.unsafeFlags(["-std=c++17"])],
            linkerSettings: [.linkedLibrary("re2"), .linkedLibrary("stdc++")]),
        .target(
            name: "CLibbpf", dependencies: ["CProbeABI"],
            linkerSettings: [.linkedLibrary("bpf"), .linkedLibrary("elf"), .linkedLibrary("z")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        // build time: compiles Probe/ and embeds the object
        .executableTarget(name: "ProbeEmbed", swiftSettings: plain),
        .plugin(name: "ProbeBuild", capability: .buildTool(), dependencies: ["ProbeEmbed"]),
        // data plane
        dataRoom("EventModel", ["CProbeABI", "CLinux"]),
        dataRoom("Capture", ["EventModel"]),
        dataRoom("CaptureFile", ["EventModel", "Capture", "CProbeABI", "CZlib", "CLinux"]),
        dataRoom("CaptureReplay", ["Capture", "CaptureFile", "EventModel"]),
        room("LinuxSystem", ["CLinux", "EventModel"]),
        .target(
            name: "CaptureProbe", dependencies: ["Capture", "EventModel", "CProbeABI", "LinuxSystem", "CLibbpf", "CLinux"],
            swiftSettings: perEvent,
            plugins: ["ProbeBuild"]),
        dataRoom("SystemState", ["EventModel", "CProbeABI", "CLinux", "LinuxSystem"]),
        dataRoom("Fields", ["FilterLanguage", "EventModel", "SystemState", "CProbeABI", "CLinux"]),
        dataRoom(
            "RuleEngine", ["Diagnostics", "FilterLanguage", "Fields", "EventModel", "SystemState", "CRE2", "CLinux", "CProbeABI"]),
        dataRoom(
            "Recording", ["Capture", "CaptureFile", "EventModel", "SystemState", "LinuxSystem", "CProbeABI"]),
        dataRoom("Pipeline", ["Capture", "EventModel", "SystemState", "Fields", "RuleEngine", "Alerts", "Recording"]),
        // control plane
        room("Diagnostics"),
        room("FilterLanguage", ["Diagnostics"]),
        room(
            "Rules",
            [
                "RuleEngine", "Fields", "FilterLanguage", "Diagnostics", "EventModel", "CProbeABI",
                .product(name: "Yams", package: "Yams"),
            ]),
        room("RuleLint", ["Rules", "RuleEngine", "Fields", "FilterLanguage", "Diagnostics", "EventModel", "CProbeABI"]),
        room("Alerts", ["Fields", "FilterLanguage", "RuleEngine", "EventModel", "SystemState"]),
        room("Outputs", ["Alerts", "LinuxSystem"]),
        room("Settings", ["Diagnostics", "LinuxSystem", .product(name: "Yams", package: "Yams")]),
        room(
            "Agent",
            [
                "Settings", "Rules", "RuleLint", "Outputs", "Pipeline", "Recording", "Alerts", "CaptureReplay", "CaptureProbe", "CaptureFile",
                "Capture", "SystemState", "Fields",
                "RuleEngine", "FilterLanguage", "Diagnostics", "LinuxSystem", "EventModel", "CProbeABI",
            ]),
        .executableTarget(name: "falco", dependencies: ["Agent"], swiftSettings: swift),
        // tests
        tests("LinuxSystem", ["EventModel"]),
        .executableTarget(name: "ProbeActions", path: "Tests/ProbeActions"),
        .testTarget(
            name: "ProbeTests",
            dependencies: [
                "CaptureProbe", "Capture", "EventModel", "CProbeABI", "LinuxSystem", "ProbeActions", "SystemState", "Pipeline",
                "RuleEngine", "Fields",
            ],
            swiftSettings: swift),
        tests("CaptureFile", ["CaptureReplay", "Capture", "EventModel", "CProbeABI"]),
        tests("Pipeline", ["Capture", "EventModel", "SystemState", "CProbeABI"]),
        tests("Recording", ["CaptureReplay", "CaptureFile", "Capture", "EventModel", "SystemState", "CProbeABI"]),
        tests("SystemState", ["EventModel"]),
        tests("Fields", ["CProbeABI", "Diagnostics", "FilterLanguage", "EventModel", "SystemState", "Capture", "CaptureReplay"]),
        tests("FilterLanguage", ["Diagnostics"]),
        tests("Alerts", ["EventModel", "SystemState", "Fields", "FilterLanguage", "CProbeABI"]),
        tests("RuleEngine", ["FilterLanguage", "Fields", "EventModel", "SystemState", "Diagnostics", "CProbeABI"]),
        tests("Settings"),
        tests("Outputs", ["LinuxSystem"]),
        tests("Agent", ["EventModel", "Rules", "Settings"]),
        .testTarget(name: "TidyTests", swiftSettings: swift),
        .target(
            name: "HostileInput",
            dependencies: [
                "Alerts", "Rules", "RuleEngine", "Fields", "FilterLanguage", "SystemState", "CaptureReplay", "CaptureFile",
                "CaptureProbe", "Capture", "EventModel", "CProbeABI", "LinuxSystem", "CZlib", "CLinux",
            ], path: "Tests/HostileInput", swiftSettings: swift),
        tests(
            "HostileInput",
            [
                "Alerts", "Diagnostics", "FilterLanguage", "Rules", "RuleEngine", "Fields", "SystemState", "Capture",
                "CaptureFile",
                "CaptureReplay", "EventModel",
                "CProbeABI", "CZlib",
            ]),
        tests("Diagnostics"),
        .testTarget(
            name: "DefaultRulesTests",
            dependencies: ["Rules", "RuleEngine", "Fields", "SystemState", "EventModel", "FilterLanguage", "CProbeABI"],
            swiftSettings: swift),
        tests("Rules", ["Diagnostics", "FilterLanguage"]),
        tests(
            "RuleLint",
            ["Rules", "RuleEngine", "Fields", "FilterLanguage", "Diagnostics", "EventModel", "SystemState", "CProbeABI"]),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Agent", "Rules", "RuleEngine", "Fields", "FilterLanguage", "Diagnostics", "EventModel", "SystemState",
                "CProbeABI",
            ],
            swiftSettings: swift),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "falco", "Alerts", "CZlib", "CaptureProbe", "CaptureReplay", "CaptureFile", "Capture", "EventModel", "Fields",
                "FilterLanguage",
                "Pipeline", "RuleEngine",
                "Rules", "SystemState",
            ], swiftSettings: swift),
    ]
)

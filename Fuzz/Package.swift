// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// `make fuzz` sets FALCO_FUZZ: which sanitizers the rooms and this program are built with.
let sanitizers = Context.environment["FALCO_FUZZ"] ?? "fuzzer"

let package = Package(
    name: "Fuzz",
    dependencies: [.package(name: "falco", path: "..")],
    targets: [
        .executableTarget(
            name: "fuzz", dependencies: [.product(name: "HostileInput", package: "falco")], path: "Sources/Fuzz",
            swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library", "-sanitize=\(sanitizers)"])],
            // gold gives up on the debug information of instrumented objects.
            linkerSettings: [.unsafeFlags(["-sanitize=\(sanitizers)", "-use-ld=lld"])])
    ]
)

// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "falco", path: "..")],
    targets: [
        .target(name: "CCounting"),
        .target(name: "CTraffic"),
        .executableTarget(
            name: "bench", dependencies: ["CCounting", "CTraffic", .product(name: "FalcoRooms", package: "falco")],
            path: "Sources/Bench",
            swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-enforce-exclusivity=unchecked"])],
            // valgrind gives up on the debug information that Swift writes; symbols are enough for us.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--strip-debug"])]),
    ]
)

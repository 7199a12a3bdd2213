// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostileInput
import Testing

/// What once made a fuzz target fail, and what every target begins with.
@Suite struct FailCaseTests {
    static let folder = URL(filePath: #filePath).appending(path: "../../../Fuzz/FailCases").standardized

    /// Fuzz/FailCases/TARGET/NAME, a file an input.
    @Test func keptCasesNoLongerFail() throws {
        var ran = 0
        for target in HostileTarget.allCases {
            let files =
                (try? FileManager.default.contentsOfDirectory(
                    at: Self.folder.appending(path: target.rawValue), includingPropertiesForKeys: nil)) ?? []
            for file in files {
                let input = try Data(contentsOf: file)
                input.withUnsafeBytes { target.run($0) }
                ran += 1
            }
        }
        print("\(ran) kept inputs of the fuzz targets")
    }

    @Test(arguments: HostileTarget.allCases)
    func seedsAndTheirDamagedCopiesPass(_ target: HostileTarget) {
        let seeds = target.seeds()
        #expect(!seeds.isEmpty)
        var state: UInt64 = 0x9e37_79b9
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max(1, bound)))
        }
        for seed in seeds {
            seed.withUnsafeBytes { target.run($0) }
            var damaged = seed
            for _ in 0..<4 { damaged[next(damaged.count)] = [0, 0xff, 0x7f, 0x80, UInt8(next(256))][next(5)] }
            damaged.withUnsafeBytes { target.run($0) }
            Array(seed.prefix(next(seed.count))).withUnsafeBytes { target.run($0) }
        }
    }
}

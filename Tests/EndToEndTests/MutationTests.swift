// SPDX-License-Identifier: Apache-2.0
import Alerts
import CZlib
import Capture
import CaptureReplay
import Fields
import Foundation
import Pipeline
import RuleEngine
import Rules
import SystemState
import Testing

/// The whole way of an event, from a capture's bytes to the line of JSON, on captures that somebody damaged.
@Suite struct MutationTests {
    /// Every field that needs no argument, for every event: whatever a damaged event does to the state, somebody reads it.
    static let rules: String = {
        let shown = FieldCatalogue.builtin.classes.flatMap(\.definitions).filter {
            $0.flags.isDisjoint(with: [.argumentRequired, .filterOnly])
        }
        let names = shown.map(\.name)
        let fields = (names + ["evt.arg[0]", "evt.arg[3]", "proc.aname[2]", "proc.acmdline[1]", "proc.env[HOME]"]).map {
            "%\($0)"
        }
        return "evt.num > 0 | INFO \(fields.joined(separator: " "))\n"
            + "evt.type in (execve, clone, openat, connect, close) and (fd.name contains a or proc.aname in (bash, sh)) | INFO x\n"
    }()

    private final class Handler: MatchHandler {
        let plan: OutputPlan
        let formatter: AlertFormatter
        var bytes = 0
        init(_ rules: [Rule]) throws {
            var options = AlertOptions()
            options.isJSON = true
            plan = try OutputPlan(
                rules.map { rule in
                    try RuleOutput(
                        rule: AlertRule(name: rule.name, source: rule.source, priority: rule.priority, tags: rule.tags),
                        output: rule.output, extraFields: [], options: options)
                }, options: options)
            formatter = AlertFormatter(options)
        }
        func matched(rule: Int, context: borrowing EventContext, state: SystemState, scratch: inout ExtractionScratch) {
            bytes += formatter.line(plan[rule].alert(context: context, state: state, scratch: &scratch)).count
        }
        func secondBegan(timestampNs: UInt64) {}
        func batchEnded(nowNs: UInt64) {}
    }

    /// Bytes of alerts, or nil when the capture was refused.
    private static func play(_ path: String, _ rules: [Rule], _ program: RuleProgram) throws -> (alertBytes: Int, refused: Bool) {
        let handler = try Handler(rules)
        do throws(CaptureError) {
            let source = try ReplaySource(path: path)
            defer { source.close() }
            let pipeline = EventPipeline(
                source: source, state: SystemState(), rules: PipelineRules(program: program, firstOnly: false), handler: handler)
            _ = try pipeline.run()
            return (handler.bytes, false)
        } catch { return (handler.bytes, true) }
    }

    /// A generator of our own, so that a failure can be repeated.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    private static func damaged(_ bytes: [UInt8], _ random: inout Generator) -> [UInt8] {
        var bytes = bytes
        // One or two leave most of the file readable; many find their way into every kind of block.
        let hits = Bool.random(using: &random) ? 2 : 24
        for _ in 0..<Int.random(in: 1...hits, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[at] = [0, 0xff, 0x7f, 0x80].randomElement(using: &random)!
            case 3:  // a length or a number becomes enormous
                for index in at..<min(bytes.count, at + 4) { bytes[index] = 0xff }
            case 4:  // a piece appears elsewhere
                let count = min(64, bytes.count - at)
                let from = Int.random(in: 0...(bytes.count - count), using: &random)
                for index in 0..<count { bytes[at + index] = bytes[from + index] }
            default: for index in at..<min(bytes.count, at + 8) { bytes[index] = 0 }
            }
        }
        if Int.random(in: 0..<5, using: &random) == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
        return bytes.isEmpty ? [0] : bytes
    }

    private static func uncompressed(_ path: String) -> [UInt8] {
        guard let file = gzopen(path, "rb") else { return [] }
        defer { gzclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = gzread(file, &block, UInt32(block.count)), count > 0 { bytes += block[..<Int(count)] }
        return bytes
    }

    private static var residentKiB: Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        return text.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) } ?? 0
    }

    /// More of them: FALCO_MUTATIONS=2000 swift test --filter MutationTests
    static let count = ProcessInfo.processInfo.environment["FALCO_MUTATIONS"].flatMap { Int($0) } ?? 25

    @Test(
        .enabled(if: captures != nil),
        arguments: ["falco-0.34.1/cat_write", "libs/curl_google", "falco-history/psp_write_tmp_test"])
    func damagedCapturesEnd(_ capture: String) throws {
        let scratch = Scratch()
        let loader = RuleLoader()
        let result = loader.load(files: [("rules.conf", Array(Self.rules.utf8))])[0]
        try #require(result.errors.isEmpty, "\(result.errors)")
        let rules = loader.ruleSet.rules
        let program = RuleProgram(rules: rules.map(\.condition))
        let whole = Self.uncompressed("\(captures!)/\(capture).scap")
        let sound = try Self.play(scratch.file("sound.scap", Data(whole)), rules, program)
        #expect(!sound.refused && sound.alertBytes > 100_000)

        let residentKiB = Self.residentKiB
        var random = Generator(state: UInt64(capture.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
        var refused = 0
        var slowest = 0.0
        for variant in 0..<Self.count {
            let path = scratch.file("damaged.scap", Data(Self.damaged(whole, &random)))
            let start = Date()
            let played = try Self.play(path, rules, program)
            refused += played.refused ? 1 : 0
            slowest = max(slowest, Date().timeIntervalSince(start))
            #expect(Date().timeIntervalSince(start) < 30, "variant \(variant)")
        }
        let grownKiB = Self.residentKiB - residentKiB
        print("\(capture): \(Self.count) damaged variants, \(refused) refused, slowest \(slowest) s, memory +\(grownKiB) KiB")
        #expect(grownKiB < 512 << 10)
    }
}

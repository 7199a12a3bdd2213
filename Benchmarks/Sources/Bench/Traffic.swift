// SPDX-License-Identifier: Apache-2.0
import CTraffic
import Foundation
import LinuxSystem

/// The program whose system calls are measured: this one, started again. Nothing else is ever in the probe's scope.
final class Traffic {
    /// First word of the command line that makes this program one.
    static let word = "--traffic"
    static let cpu = 0
    /// Where everything else of the measurement runs, so that it does not take the traffic's processor.
    static let otherCPU = min(1, Machine.onlineCPUs - 1)

    private let process = Process()
    private let commands = Pipe()
    private let answers = Pipe()
    private var buffer: [UInt8] = []
    var pid: Int64 { Int64(process.processIdentifier) }
    let file: String
    let trickled: String

    /// Starts it; it waits for its first command. Its files lie in `directory`.
    init(directory: URL) throws {
        file = directory.appending(path: "flood.txt").path
        trickled = directory.appending(path: "trickle.txt").path
        for path in [file, trickled] { try Data("x\n".utf8).write(to: URL(fileURLWithPath: path)) }
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [Self.word, file, trickled]
        process.standardInput = commands
        process.standardOutput = answers
        try process.run()
    }

    /// What the started process does.
    static func main(_ words: [String]) -> Int32 {
        guard words.count == 2 else { return 1 }
        return traffic_main(Int32(cpu), words[0], words[1])
    }

    func command(_ line: String) {
        commands.fileHandleForWriting.write(Data((line + "\n").utf8))
    }

    /// The answer to a command; nil while there is none. Waits for at most `waitMs`.
    func answer(waitMs: Int32) throws -> [Double]? {
        var watched = pollfd(fd: answers.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&watched, 1, waitMs) > 0 else { return nil }
        let data = answers.fileHandleForReading.availableData
        guard !data.isEmpty else { throw BenchError("the traffic program ended") }
        buffer += data
        guard let end = buffer.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(...end)
        return line.split(separator: " ").compactMap { Double($0) }
    }

    func end() {
        try? commands.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}

func median(_ values: [Double]) -> Double { percentile(values, 0.5) }

/// The smallest value that at least this share of the values does not exceed.
func percentile(_ values: [Double], _ share: Double) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return sorted[min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))]
}

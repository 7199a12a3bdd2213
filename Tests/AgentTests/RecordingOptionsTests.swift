// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Agent

@Suite struct RecordingOptionsTests {
    @Test(arguments: [
        ("a.scap", "a_00001.scap"), ("/x.y/a", "/x.y/a_00001"), ("/x/.hidden", "/x/.hidden_00001"),
        ("a.b.scap", "a.b_00001.scap"),
    ])
    func rotatedNamesKeepTheirEnding(path: String, first: String) {
        var options = RecordingOptions()
        options.path = path
        #expect(options.path(ofFile: 1) == path)
        options.rotateNs = 1
        #expect(options.path(ofFile: 1) == first)
    }

    @Test func namesAreTodaysFalcos() {
        #expect(
            MatchRecording.path(prefix: "/tmp/falco", timestampNs: 1_795_464_853_331_362_282, number: 73)
                == "/tmp/falco_01795464853331362282_00000000000000000073.scap")
    }

    @Test(arguments: [
        (["record"], "falco record needs a file: falco record [options] -w FILE [-- COMMAND [ARGUMENTS]]"),
        (["--rotate-size", "1"], "--rotate-size says how to record; -w names the file"),
        (["--compress=gzip"], "--compress says how to record; -w names the file"),
        (["-w", "f", "--compress", "xz"], "Invalid compression 'xz'. Valid values are: gzip, none"),
        (["-w", "f", "--files", "3"], "--files keeps rotated files; give --rotate-size or --rotate-seconds too"),
        (["-w", "f", "--filter", "evt.num=1"], "--filter belongs to falco record; rules choose otherwise"),
        (["-w", "f", "--rotate-size", "0"], "Argument '0' of option 'rotate-size' is not a number of megabytes"),
        (["-w", ""], "-w needs the name of a file"),
        (
            ["record", "-w", "f", "--scope", "1", "--", "ls"],
            "falco record watches its own command; --scope can not be given with it"
        ),
    ])
    func refuses(_ words: [String], saying message: String) {
        #expect(throws: UsageError(message)) { try Arguments(words) }
    }

    @Test func recordTakesOptionsAndACommand() throws {
        let arguments = try Arguments([
            "record", "-w", "f", "--rotate-size", "2", "--rotate-seconds=3", "--files", "4", "--compress", "none", "--read",
            "old",
            "--", "ls", "-w",
        ])
        #expect(arguments.recordsOnly && arguments.command == ["ls", "-w"])
        #expect(arguments.options == ["engine.kind=replay", "engine.replay.capture_file=old"])
        var options = RecordingOptions()
        options.path = "f"
        (options.rotateBytes, options.rotateNs, options.filesMax, options.isCompressed) = (2 << 20, 3_000_000_000, 4, false)
        #expect(arguments.recording == options)
    }
}

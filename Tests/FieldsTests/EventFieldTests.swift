// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Glibc
import SystemState
import Testing

@testable import Fields

@Suite(.serialized) struct EventFieldTests {
    @Test(arguments: [
        ("evt.num", "7"), ("evt.rawtime", "1600000000123456789"), ("evt.rawtime.s", "1600000000"),
        ("evt.rawtime.ns", "123456789"),
        ("evt.reltime", "2000000005"), ("evt.reltime.s", "2"), ("evt.reltime.ns", "000000005"), ("evt.deltatime", "1500"),
        ("evt.deltatime.s", "0"),
        ("evt.deltatime.ns", "000001500"), ("evt.time.iso8601", "2020-09-13T12:26:40.123456789+0000"),
        ("evt.type", "getsockname"),
        ("syscall.type", "getsockname"), ("evt.dir", "<"), ("evt.cpu", "3"), ("evt.category", "net"), ("evt.args", ""),
        ("evt.source", "syscall"),
        ("evt.is_async", "false"), ("evt.res", "<NA>"), ("evt.failed", "<NA>"), ("evt.count", "1"), ("evt.count.exit", "1"),
        ("evt.count.error", "<NA>"), ("evt.latency.quantized", "0"), ("evt.wait_latency", "0"), ("evt.is_syslog", "false"),
        ("evt.type.is.getsockname", "1"), ("evt.type.is.open", "0"), ("evt.is_io", "false"), ("evt.io_dir", "<NA>"),
        ("evt.latency", "0"),
        ("evt.pluginname", "<NA>"), ("evt.around[1600000000121456789]", "2"), ("evt.around[1600000000123456790]", "1"),
    ])
    func plainEvent(field: String, text: String) throws {
        #expect(try Machine().read(field) == text)
    }

    /// A zone with half an hour in its offset, and one whose clock changes within the test's day.
    @Test(arguments: [
        ("Asia/Kolkata", "evt.time", "17:56:40.123456789"), ("Asia/Kolkata", "evt.datetime.s", "2020-09-13 17:56:40"),
        ("UTC", "evt.time.s", "12:26:40"),
        ("America/New_York", "evt.datetime", "2020-09-13 08:26:40.123456789"),
    ])
    func localTime(zone: String, field: String, text: String) throws {
        let before = getenv("TZ").map { String(cString: $0) }
        setenv("TZ", zone, 1)
        tzset()
        defer {
            if let before { setenv("TZ", before, 1) } else { unsetenv("TZ") }
            tzset()
        }
        #expect(try Machine().read(field) == text)
    }

    @Test(arguments: [
        (UInt64(0), "1970-01-01T00:00:00.000000000+0000"), (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001+0000"),
        (4_102_444_799_999_999_999, "2099-12-31T23:59:59.999999999+0000"), (.max, "2554-07-21T23:34:33.709551615+0000"),
    ])
    func dates(nanoseconds: UInt64, expected: String) {
        var scratch = ExtractionScratch()
        scratch.begin()
        scratch.append(time: nanoseconds, .iso8601, withNanoseconds: true)
        #expect(scratch.finish().string == expected)
    }

    /// Calls that the table does not know by an event of their own.
    @Test func genericCallsHaveTheirOwnName() throws {
        let code = UInt16(EventTable.systemCallCodes.first { $0.name == "sysinfo" }!.code)
        for (first, second) in [(code, UInt16(0)), (0, 99)] {
            let name = try Machine().read("evt.type", of: PPME_GENERIC_X) {
                $0.append(first); $0.append(second)
            }
            #expect(name == "sysinfo")
        }
        #expect(
            try Machine().read("evt.res", of: PPME_GENERIC_X) {
                $0.append(code); $0.append(UInt16(99))
            } == "<NA>")
    }

    @Test func statisticsEventsCountProcessesAndThreads() throws {
        let machine = Machine()
        #expect(try machine.read("evt.count.procinfo", of: PPME_PROCINFO_E, tid: 20) == "1")
        #expect(try machine.read("evt.count.procinfo", of: PPME_PROCINFO_E, tid: 21) == "0")
        #expect(try machine.read("evt.count.threadinfo", of: PPME_PROCINFO_E, tid: 21) == "1")
        #expect(try machine.read("evt.count.threadinfo") == "0")
        #expect(try machine.read("evt.category", of: PPME_PROCINFO_E) == "internal")
    }

    @Test func absolutePathsOfCallsWithTwo() throws {
        func rename(_ builder: inout EventBuilder) {
            builder.append(Int64(0))
            builder.append(Int64(3))
            builder.append(text: "old")
            builder.append(Int64(-100))
            builder.append(text: "/new/./er")
        }
        let machine = Machine()
        #expect(try machine.read("evt.abspath", of: PPME_SYSCALL_RENAMEAT_X, rename) == "/var/log/old")
        #expect(try machine.read("evt.abspath.src", of: PPME_SYSCALL_RENAMEAT_X, rename) == "/var/log/old")
        #expect(try machine.read("evt.abspath.dst", of: PPME_SYSCALL_RENAMEAT_X, rename) == "/new/er")
        #expect(try machine.read("evt.abspath") == "<NA>")
        let unlink = { (dirfd: Int64?, path: String) in
            { (builder: inout EventBuilder) in
                builder.append(Int64(0))
                if let dirfd { builder.append(dirfd) } else { builder.appendEmpty() }
                builder.append(text: path)
            }
        }
        for (dirfd, path, absolute) in [
            (Int64(3), "x", "/var/log/x"), (-100, "x", "/srv/x"), (77, "x", "<UNKNOWN>/x"), (77, "/x", "/x"), (nil, "x", "<NA>"),
            (3, "", "/var/log"),
        ] as [(Int64?, String, String)] {
            let got = try machine.read("evt.abspath", of: PPME_SYSCALL_UNLINKAT_2_X, unlink(dirfd, path))
            #expect(got == absolute, "\(path) at \(dirfd ?? 0)")
        }
    }

    /// What old captures tell of a container runtime's doings.
    @Test(arguments: [
        ("evt.infra.docker.name", "start"), ("evt.infra.docker.container.id", "0123456789ab"),
        ("evt.infra.docker.container.name", "web"), ("evt.infra.docker.container.image", "nginx"),
    ])
    func runtimeNotices(field: String, text: String) throws {
        let notice = { (image: String) in
            { (builder: inout EventBuilder) in
                builder.append(text: "docker")
                builder.append(text: "notice")
                builder.append(text: "Event: start; ID:0123456789abcdef; name: web:old ;Image: \(image)")
                builder.append(text: "scope")
            }
        }
        #expect(try Machine().read(field, of: PPME_INFRASTRUCTURE_EVENT_E, notice("nginx@sha256:aa")) == text)
        #expect(try Machine().read(field) == "<NA>")
        if text == "nginx" {
            #expect(try Machine().read(field, of: PPME_INFRASTRUCTURE_EVENT_E, notice("sha256:aa")) == "sha256:aa")
        }
    }

    @Test(arguments: [
        ("evt.count.error", Int64(-2), "1"), ("evt.count.error", 3, "0"), ("evt.count.error.file", -2, "1"),
        ("evt.count.error.file", 3, "0"), ("evt.count.error.net", -2, "<NA>"), ("evt.count.error.other", -2, "<NA>"),
        ("evt.is_open_create", 3, "true"), ("evt.is_open_create", -2, "false"), ("evt.is_open_exec", 3, "true"),
    ])
    func opensOfFilesWithoutName(field: String, result: Int64, text: String) throws {
        let got = try Machine().read(field, of: PPME_SYSCALL_OPEN_X) { builder in
            builder.append(result)
            builder.append(text: "/tmp")
            builder.append(UInt32(8192 | 2))  // O_TMPFILE, writing
            builder.append(UInt32(0o755))
            builder.append(UInt32(0))
            builder.append(UInt64(0))
        }
        #expect(got == text)
    }

    @Test func asynchronousEventsHaveTheirOwnType() throws {
        func fill(_ builder: inout EventBuilder) {
            builder.append(UInt32(0))
            builder.append(text: "container")
            builder.append(raw: [1])
        }
        for field in ["evt.type", "evt.asynctype"] {
            #expect(try Machine().read(field, of: PPME_ASYNCEVENT_E, fill) == "container")
        }
        #expect(try Machine().read("evt.is_async", of: PPME_ASYNCEVENT_E, fill) == "true")
    }

    /// The kernel tells the path of what `open_by_handle_at` opened.
    @Test func pathBehindAHandle() throws {
        func fill(_ fd: Int64) -> (inout EventBuilder) -> Void {
            { builder in
                builder.append(fd)
                builder.append(Int64(3))
                builder.append(UInt32(1))
                builder.append(text: "/var/./lib/../log")
            }
        }
        #expect(try Machine().read("evt.abspath", of: PPME_SYSCALL_OPEN_BY_HANDLE_AT_X, fill(5)) == "/var/log")
        #expect(try Machine().read("evt.abspath", of: PPME_SYSCALL_OPEN_BY_HANDLE_AT_X, fill(-2)) == "<NA>")
    }

    /// Whatever bytes an event holds, every field has an answer.
    @Test func anyBytes() throws {
        let machine = Machine()
        let fields = try FieldCatalogue.builtin.classes.flatMap(\.definitions).map {
            let argument = $0.flags.contains(.argumentRequired) ? $0.flags.contains(.argumentAfterDot) ? ".res" : "[1]" : ""
            let special = ["evt.type.is": "evt.type.is.open", "evt.abspath": "evt.abspath"]
            return try Machine.resolve(special[$0.name] ?? $0.name + argument)
        }
        var random = SystemRandomNumberGenerator()
        var builder = EventBuilder()
        var scratch = ExtractionScratch()
        for code in 0..<EventTable.count {
            for _ in 0..<4 {
                builder.begin(type: UInt16(code), tid: 20, timestampNs: random.next())
                for _ in 0..<Int.random(in: 0...34) {
                    let width = [0, 1, 2, 4, 8, Int.random(in: 0...40)].randomElement()!
                    builder.append(raw: (0..<width).map { _ in Bool.random() ? 0 : UInt8.random(in: 0...255) })
                }
                var bytes: [UInt8] = []
                builder.write(to: &bytes)
                try bytes.withUnsafeBytes { buffer in
                    var context = EventContext(event: try EventView(checking: Bytes(buffer), cpu: 0))
                    context.thread = machine.state.slot(tid: 20)
                    for field in fields {
                        scratch.reset()
                        let value = FieldExtractor.extract(field, context: context, state: machine.state, scratch: &scratch)
                        if case .list(let start, let count) = value { #expect(start + count <= scratch.listCount) }
                    }
                }
            }
        }
    }
}

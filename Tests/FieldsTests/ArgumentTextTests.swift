// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel
import Testing

@testable import Fields

@Suite struct ArgumentTextTests {
    struct Row: Sendable {
        let type: ppm_event_code
        let fill: @Sendable (inout EventBuilder) -> Void
        let text: String
        init(_ type: ppm_event_code, _ text: String, _ fill: @escaping @Sendable (inout EventBuilder) -> Void) {
            (self.type, self.fill, self.text) = (type, fill, text)
        }
    }

    static let rows: [Row] = [
        // errno, descriptor
        Row(PPME_SYSCALL_CLOSE_X, "res=-9(EBADF) fd=77") {
            $0.append(Int64(-9)); $0.append(Int64(77))
        },
        Row(PPME_SYSCALL_CLOSE_X, "res=0 fd=3(<d>/var/log)") {
            $0.append(Int64(0)); $0.append(Int64(3))
        },
        Row(PPME_SYSCALL_CLOSE_X, "res=-1000 fd=-13(EACCES)") {
            $0.append(Int64(-1000)); $0.append(Int64(-13))
        },
        // a relative path by working directory and by descriptor, an absolute one as it stands
        Row(PPME_SYSCALL_OPEN_X, "fd=3(<d>/var/log) name=../a//b(/a/b) flags=4097(O_RDONLY|O_CLOEXEC) mode=0644 dev=FE00 ino=5") {
            $0.append(Int64(3)); $0.append(text: "../a//b"); $0.append(UInt32(4097)); $0.append(UInt32(0o644));
            $0.append(UInt32(0xfe00))
            $0.append(UInt64(5))
        },
        Row(PPME_SYSCALL_UNLINKAT_2_X, "res=0 dirfd=3(<d>/var/log) name=./x(/var/log/x) flags=512(AT_REMOVEDIR)") {
            $0.append(Int64(0)); $0.append(Int64(3)); $0.append(text: "./x"); $0.append(UInt32(512))
        },
        Row(PPME_SYSCALL_UNLINKAT_2_X, "res=0 dirfd=-100(AT_FDCWD) name=x(/srv/x) flags=0") {
            $0.append(Int64(0)); $0.append(Int64(-100)); $0.append(text: "x"); $0.append(UInt32(0))
        },
        Row(PPME_SYSCALL_UNLINKAT_2_X, "res=0 dirfd=99 name=x(<UNKNOWN>x) flags=0") {
            $0.append(Int64(0)); $0.append(Int64(99)); $0.append(text: "x"); $0.append(UInt32(0))
        },
        Row(PPME_SYSCALL_UNLINKAT_2_X, "res=0 dirfd=3(<d>/var/log) name=/a/../b flags=<NA>") {
            $0.append(Int64(0)); $0.append(Int64(3)); $0.append(text: "/a/../b"); $0.appendEmpty()
        },
        // numbers of 32 bits as C writes them with %d, times that mean none
        Row(PPME_SYSCALL_CHOWN_X, "res=0 path=/a uid=-1 gid=5") {
            $0.append(Int64(0)); $0.append(text: "/a"); $0.append(UInt32.max); $0.append(UInt32(5))
        },
        Row(PPME_SYSCALL_PPOLL_X, "res=0 fds=18446744073709551615:?4 timeout=none sigmask=SIGHUP SIGINT") {
            $0.append(Int64(0)); $0.append(raw: [1, 0] + [UInt8](repeating: 255, count: 8) + [4, 0]); $0.append(UInt64.max)
            $0.append(UInt32(3))
        },
        // a mode: the name of the very value ends the list
        Row(PPME_SYSCALL_MKNOD_X, "res=0 path=/a mode=060000(S_IFCHR|S_IFBLK) dev=0") {
            $0.append(Int64(0)); $0.append(text: "/a"); $0.append(UInt32(0o60000)); $0.append(UInt32(0))
        },
        Row(PPME_SYSCALL_MKNOD_X, "res=0 path=/a mode=060644(S_IROTH|S_IRGRP|S_IWUSR|S_IRUSR|S_IFCHR) dev=0") {
            $0.append(Int64(0)); $0.append(text: "/a"); $0.append(UInt32(0o60644)); $0.append(UInt32(0))
        },
        Row(
            PPME_SOCKET_SETSOCKOPT_X,
            "res=0 fd=9 level=1(SOL_SOCKET) optname=2(SO_REUSEADDR) val=INVALID DYNAMIC PARAMETER optlen=4"
        ) {
            $0.append(Int64(0)); $0.append(Int64(9)); $0.append(UInt8(1)); $0.append(UInt8(2)); $0.append(raw: [77, 1])
            $0.append(UInt32(4))
        },
        // accounts, processes, signals
        Row(PPME_SYSCALL_SETUID_X, "res=0 uid=1000(ada)") {
            $0.append(Int64(0)); $0.append(UInt32(1000))
        },
        Row(PPME_SYSCALL_SETUID_X, "res=0 uid=5(<NA>)") {
            $0.append(Int64(0)); $0.append(UInt32(5))
        },
        Row(PPME_SYSCALL_SETUID_X, "res=0 uid=-1(<NONE>)") {
            $0.append(Int64(0)); $0.append(UInt32.max)
        },
        Row(PPME_SYSCALL_SETGID_X, "res=0 gid=0(root)") {
            $0.append(Int64(0)); $0.append(UInt32(0))
        },
        Row(PPME_SYSCALL_KILL_X, "res=0 pid=30(curl) sig=15(SIGTERM)") {
            $0.append(Int64(0)); $0.append(Int64(30)); $0.append(UInt8(15))
        },
        Row(PPME_SYSCALL_KILL_X, "res=0 pid=4 sig=0") {
            $0.append(Int64(0)); $0.append(Int64(4)); $0.append(UInt8(0))
        },
        // flags and enumerations
        Row(PPME_SOCKET_SOCKET_X, "fd=5 domain=16(AF_ROUTE|AF_NETLINK) type=3 proto=0 flags=0(O_NONE)") {
            $0.append(Int64(5)); $0.append(UInt32(16)); $0.append(UInt32(3)); $0.append(UInt32(0)); $0.append(UInt32(0))
        },
        Row(PPME_SYSCALL_FCHMOD_X, "res=0 fd=3(<d>/var/log) mode=0600(S_IWUSR|S_IRUSR)") {
            $0.append(Int64(0)); $0.append(Int64(3)); $0.append(UInt32(0o600))
        },
        Row(PPME_SYSCALL_FUTEX_X, "res=0 addr=FF op=393(FUTEX_CLOCK_REALTIME|FUTEX_PRIVATE_FLAG|FUTEX_WAIT_BITSET) val=1") {
            $0.append(Int64(0)); $0.append(UInt64(255)); $0.append(UInt16(393)); $0.append(UInt64(1))
        },
        // data, times, signs
        Row(PPME_SYSCALL_READ_X, "res=4 data=a.\u{7e}. fd=0(<p>pipe:[7]) size=9") {
            $0.append(Int64(4)); $0.append(raw: [97, 0, 126, 200]); $0.append(Int64(0)); $0.append(UInt32(9))
        },
        Row(PPME_SYSCALL_READ_X, "res=0 data=NULL fd=0(<p>pipe:[7]) size=9") {
            $0.append(Int64(0)); $0.appendEmpty(); $0.append(Int64(0)); $0.append(UInt32(9))
        },
        Row(PPME_SYSCALL_LSEEK_X, "res=1 fd=0(<p>pipe:[7]) offset=-71 whence=1(SEEK_CUR)") {
            $0.append(Int64(1)); $0.append(Int64(0)); $0.append(Int64(-71)); $0.append(UInt8(1))
        },
        Row(PPME_SYSCALL_NANOSLEEP_X, "res=0 interval=1500000000(1.5s)") {
            $0.append(Int64(0)); $0.append(UInt64(1_500_000_000))
        },
        // addresses
        Row(PPME_SOCKET_CONNECT_X, "res=-115(EINPROGRESS) tuple=127.0.0.1:80->10.0.0.1:443 fd=9 addr=10.0.0.1:443") {
            $0.append(Int64(-115)); $0.append(raw: [2, 127, 0, 0, 1, 80, 0, 10, 0, 0, 1, 0xbb, 1]); $0.append(Int64(9))
            $0.append(raw: [2, 10, 0, 0, 1, 0xbb, 1])
        },
        Row(PPME_SOCKET_BIND_X, "res=0 addr=::1:80 fd=9") {
            $0.append(Int64(0)); $0.append(raw: [10] + [UInt8](repeating: 0, count: 15) + [1, 80, 0]); $0.append(Int64(9))
        },
        Row(PPME_SOCKET_BIND_X, "res=0 addr=INVALID IPv4 fd=9") {
            $0.append(Int64(0)); $0.append(raw: [2, 1, 2]); $0.append(Int64(9))
        },
        Row(PPME_SOCKET_BIND_X, "res=0 addr=/run/s fd=9") {
            $0.append(Int64(0)); $0.append(raw: [1] + Array("/run/s".utf8) + [0]); $0.append(Int64(9))
        },
        Row(PPME_SOCKET_BIND_X, "res=0 addr=<NA> fd=9") {
            $0.append(Int64(0)); $0.appendEmpty(); $0.append(Int64(9))
        },
        Row(PPME_SYSCALL_POLL_X, "res=1 fds=0:p1 77:?1f timeout=-1") {
            $0.append(Int64(1))
            $0.append(raw: [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 77, 0, 0, 0, 0, 0, 0, 0, 0x1f, 0])
            $0.append(Int64(-1))
        },
        // dynamic
        Row(PPME_SOCKET_GETSOCKOPT_X, "res=0 fd=9 level=1(SOL_SOCKET) optname=4(SO_ERROR) val=-111(ECONNREFUSED) optlen=4") {
            $0.append(Int64(0)); $0.append(Int64(9)); $0.append(UInt8(1)); $0.append(UInt8(4))
            $0.append(raw: [1] + withUnsafeBytes(of: Int64(-111).littleEndian) { Array($0) }); $0.append(UInt32(4))
        },
        // calls known by number only say nothing, and an event may be shorter than its type
        Row(PPME_GENERIC_X, "") {
            $0.append(UInt16(5)); $0.append(UInt16(2))
        },
        Row(PPME_SYSCALL_CLOSE_X, "res=0") { $0.append(Int64(0)) },
    ]

    @Test(arguments: rows) func all(row: Row) throws {
        #expect(try Machine().read("evt.args", of: row.type, row.fill) == row.text)
    }

    @Test(arguments: [
        ("evt.arg.fd", "<d>/var/log"), ("evt.arg[0]", "<d>/var/log"), ("evt.arg.name", "/srv/x"), ("evt.arg.flags", "O_RDONLY"),
        ("evt.arg.mode", "0600"), ("evt.arg[9]", "<NA>"), ("evt.arg.size", "<NA>"), ("evt.rawarg.fd", "3"),
        ("evt.rawarg.name", "x"),
        // a number that was not read has no value in a check; an output shows 0
        ("evt.rawarg.flags", "1"), ("evt.rawarg.dev", "<NA>"), ("evt.rawarg.size", "<NA>"), ("evt.res", "SUCCESS"),
        ("evt.rawres", "3"),
        ("evt.failed", "false"), ("evt.is_open_read", "true"), ("evt.is_open_write", "false"), ("evt.is_open_exec", "false"),
    ])
    func one(field: String, text: String) throws {
        let found = try Machine().read(field, of: PPME_SYSCALL_OPEN_X) {
            $0.append(Int64(3)); $0.append(text: "x"); $0.append(UInt32(1)); $0.append(UInt32(0o600)); $0.appendEmpty();
            $0.append(UInt64(5))
        }
        #expect(found == text)
    }

    @Test(arguments: [
        (UInt64(0), "0"), (1, "1e-09"), (1_000, "1e-06"), (100_000, "0.0001"), (99_999, "9.9999e-05"), (250_000_000, "0.25"),
        (1_000_000_000, "1"), (1_234_567_890, "1.23457"), (999_999_950_000_000, "1e+06"), (123_456_000_000_000, "123456"),
        (1_500_000_000_000_000, "1.5e+06"),
    ])
    func seconds(nanoseconds: UInt64, expected: String) {
        var scratch = ExtractionScratch()
        scratch.begin()
        scratch.append(secondsOf: nanoseconds)
        #expect(scratch.finish().string == expected)
    }

    @Test(arguments: [
        ([0, 0, 0, 0, 0, 0, 0, 0] as [UInt16], "::"), ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
        ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
        ([1, 0, 0, 0, 0, 0, 0, 0], "1::"), ([0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304], "::ffff:1.2.3.4"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "1:2:3:4:5:6:7:8"),
        ([1, 0, 3, 0, 5, 0, 7, 8], "1:0:3:0:5:0:7:8"), ([0, 0, 3, 4, 5, 0, 0, 0], "0:0:3:4:5::"),
    ])
    func ipv6(groups: [UInt16], expected: String) {
        var bytes: [UInt8] = []
        for group in groups { bytes += [UInt8(group >> 8), UInt8(group & 0xff)] }
        let address = bytes.withUnsafeBytes {
            AddressBytes(high: $0.loadUnaligned(as: UInt64.self), low: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        var scratch = ExtractionScratch()
        scratch.begin()
        scratch.append(ipv6: address)
        #expect(scratch.finish().string == expected)
    }
}

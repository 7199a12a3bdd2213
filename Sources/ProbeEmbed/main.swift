// SPDX-License-Identifier: Apache-2.0
// Build tool: `ProbeEmbed CLANG PROBE.bpf.c OUTPUT.swift INCLUDE…` compiles the probe and writes its object as Swift source.
// Runs on the building host only; without Foundation, so that a clean build does not wait for it.
import Glibc

/// Writes one sentence where the build shows it and ends the build.
func fail(_ message: String) -> Never {
    let line = Array("error: \(message)\n".utf8)
    _ = write(2, line, line.count)
    exit(1)
}

/// Runs a program with our output streams; its exit status, or nil when it could not be started.
func run(_ arguments: [String]) -> Int32? {
    var pid: pid_t = 0
    let copies = arguments.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    guard posix_spawn(&pid, arguments[0], nil, nil, copies + [nil], environ) == 0 else { return nil }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 { if errno != EINTR { return nil } }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
}

func contents(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
}

func base64(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
        let left = bytes.count - index
        let word =
            UInt32(bytes[index]) << 16 | UInt32(left > 1 ? bytes[index + 1] : 0) << 8 | UInt32(left > 2 ? bytes[index + 2] : 0)
        text.append(digits[Int(word >> 18)])
        text.append(digits[Int(word >> 12 & 63)])
        text.append(left > 1 ? digits[Int(word >> 6 & 63)] : UInt8(ascii: "="))
        text.append(left > 2 ? digits[Int(word & 63)] : UInt8(ascii: "="))
        index += 3
    }
    return text
}

let arguments = CommandLine.arguments
guard arguments.count >= 4 else { fail("usage: ProbeEmbed CLANG PROBE.bpf.c OUTPUT.swift INCLUDE...") }
let (clang, source, output) = (arguments[1], arguments[2], arguments[3])
let object = output + ".o"

#if arch(x86_64)
    let targetDefine = "-D__TARGET_ARCH_x86"
    let machineHeaders = "/usr/include/x86_64-linux-gnu"
#elseif arch(arm64)
    let targetDefine = "-D__TARGET_ARCH_arm64"
    let machineHeaders = "/usr/include/aarch64-linux-gnu"
#endif

// -g for BTF, which CO-RE needs; the mere debug sections that come with it are taken out below.
var compile = [clang, "-g", "-O2", "-target", "bpf", "-mcpu=v3", "-std=gnu11", targetDefine]
compile += ["-Wall", "-Wextra", "-Werror", "-Wno-sign-compare", "-Wno-unused-parameter", "-Wno-address-of-packed-member"]
for include in arguments.dropFirst(4) { compile += ["-I", include] }
// <bpf/bpf_helpers.h> comes with libbpf; its <asm/…> lies in the machine's own folder, which the target bpf does not search.
compile += ["-idirafter", machineHeaders, "-c", source, "-o", object]
guard let status = run(compile) else { fail("could not start '\(clang)'") }
guard status == 0 else { fail("clang could not compile '\(source)' for the target bpf (exit \(status))") }

let objcopy = String(clang[..<(clang.lastIndex(of: "/") ?? clang.startIndex)]) + "/llvm-objcopy"
if access(objcopy, X_OK) == 0 { _ = run([objcopy, "--strip-debug", object]) }

guard let bytes = contents(object), !bytes.isEmpty else { fail("clang wrote no object '\(object)'") }
var text = Array(
    """
    // Generated from Probe/probe.bpf.c.
    enum ProbeObject {
        static let byteCount = \(bytes.count)
        static let base64: StaticString = "
    """.utf8)
text += base64(bytes)
text += Array("\"\n}\n".utf8)
guard let file = fopen(output, "wb"), fwrite(text, 1, text.count, file) == text.count, fclose(file) == 0 else {
    fail("could not write '\(output)'")
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileInput

/// libFuzzer, which makes the inputs, watches what they reach and judges options such as `-runs`.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// FUZZ_TARGET names the door that is tried; FUZZ_SEEDS a folder to write its first inputs to, and nothing else is done.
private let target: HostileTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = HostileTarget(rawValue: name) else {
        let names = HostileTarget.allCases.map(\.rawValue).joined(separator: ", ")
        let message = "FUZZ_TARGET is '\(name)'; it is one of \(names)\n"
        _ = message.withCString { write(2, $0, strlen($0)) }
        exit(2)
    }
    return target
}()

@main
struct Fuzz {
    static func main() {
        if let folder = getenv("FUZZ_SEEDS") { return writeSeeds(String(cString: folder)) }
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(
            runDriver(&count, &arguments) { data, count in
                target.run(UnsafeRawBufferPointer(start: data, count: count))
                return 0
            })
    }

    private static func writeSeeds(_ folder: String) {
        for (index, seed) in target.seeds().enumerated() {
            guard let file = fopen("\(folder)/seed-\(index)", "w") else {
                perror("FUZZ_SEEDS")
                exit(2)
            }
            fwrite(seed, 1, seed.count, file)
            fclose(file)
        }
    }
}

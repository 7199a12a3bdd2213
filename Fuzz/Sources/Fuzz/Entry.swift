// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileInput

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

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>
) -> CInt {
    if let folder = getenv("FUZZ_SEEDS") {
        for (index, seed) in target.seeds().enumerated() {
            guard let file = fopen("\(String(cString: folder))/seed-\(index)", "w") else {
                perror("FUZZ_SEEDS")
                exit(2)
            }
            fwrite(seed, 1, seed.count, file)
            fclose(file)
        }
        exit(0)
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(UnsafeRawBufferPointer(start: data, count: count))
    return 0
}

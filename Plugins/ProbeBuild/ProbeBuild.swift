// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Compiles `Probe/probe.bpf.c` for the kernel's virtual machine and hands the object to the target as generated Swift.
///
/// One build command with declared inputs, so that a build without changes runs nothing. Swift because SwiftPM silently leaves
/// out generated C; a string literal because an array literal of that size takes the compiler ten seconds.
@main
struct ProbeBuild: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let root = context.package.directoryURL
        let probe = root.appending(path: "Probe")
        let interface = root.appending(path: "Sources/CProbeABI/include")
        let source = probe.appending(path: "probe.bpf.c")
        let output = context.pluginWorkDirectoryURL.appending(path: "ProbeObject.swift")
        let clang = try clang(context)
        return [
            .buildCommand(
                displayName: "Compiling the probe",
                executable: try context.tool(named: "ProbeEmbed").url,
                arguments: [clang.path, source.path, output.path, probe.path, interface.path],
                inputFiles: sources(below: probe) + sources(below: interface) + [clang],
                outputFiles: [output])
        ]
    }

    /// The toolchain's own clang knows the target `bpf`; else the first one in PATH.
    private func clang(_ context: PluginContext) throws -> URL {
        if let beside = try? context.tool(named: "clang").url, FileManager.default.isExecutableFile(atPath: beside.path) {
            return beside
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        for directory in path.split(separator: ":") {
            let candidate = URL(fileURLWithPath: String(directory)).appending(path: "clang")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
        }
        throw ProbeBuildError.noClang
    }

    /// Headers and sources, sorted, so that an edit of any of them compiles the probe again.
    private func sources(below directory: URL) -> [URL] {
        let files =
            FileManager.default.enumerator(at: directory, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return files.filter { ["c", "h", "def"].contains($0.pathExtension) }.sorted { $0.path < $1.path }
    }
}

enum ProbeBuildError: Error, CustomStringConvertible {
    case noClang
    var description: String { "no clang beside the Swift compiler nor in PATH: the probe cannot be compiled" }
}

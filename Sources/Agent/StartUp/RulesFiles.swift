// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Settings

/// Which rules files to load, and their contents.
extension Session {
    static let rulesFileBytesMax = 64 << 20

    /// `-r`, else the configuration, else the default rules.
    func readRulesFiles() throws(AgentError) -> [RulesFile] {
        let given = !arguments.rules.isEmpty
        var names = given ? arguments.rules : settings.rulesFiles ?? []
        if !given, settings.rulesFiles == nil, configuration.files.isEmpty { names = DefaultFiles.rules() }
        guard !names.isEmpty else {
            throw AgentError("You must specify at least one rules file/directory via -r or a rules_file entry in falco.yaml")
        }
        var files: [RulesFile] = []
        for name in names {
            switch HostFileSystem().kind(of: name) {
            case nil where given: throw AgentError("Could not open file \(name) for reading: ENOENT (no such file or directory)")
            case nil: log.notice("rules file \(name) does not exist and is skipped")
            case .file: files.append(try Self.readRulesFile(name))
            case .directory:
                for entry in HostFileSystem().regularFiles(in: name) where entry.hasSuffix(".yaml") || entry.hasSuffix(".yml") {
                    files.append(try Self.readRulesFile(name + "/" + entry))
                }
            }
        }
        guard !files.isEmpty else {
            throw AgentError("no rules file is found in \(names.joined(separator: ", ")); name one with -r")
        }
        return files
    }

    static func readRulesFile(_ name: String) throws(AgentError) -> RulesFile {
        do throws(Errno) {
            let content = try Files.read(name, bytesMax: rulesFileBytesMax + 1)
            guard content.count <= rulesFileBytesMax else { throw Errno.tooLarge }
            return RulesFile(name: name, content: content)
        } catch { throw AgentError("Could not open file \(name) for reading: \(error)") }
    }
}

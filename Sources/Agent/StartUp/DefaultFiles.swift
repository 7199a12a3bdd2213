// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// Files that are used when nobody names any.
enum DefaultFiles {
    static let configuration = "/etc/falco/falco.yaml"
    static let installedRules = ["/etc/falco/falco_rules.yaml", "/etc/falco/falco_rules.local.yaml", "/etc/falco/rules.d"]

    /// The installed rules; where there are none, those that lie beside the program: in `share` of its prefix, or in the sources it
    /// was built from.
    static func rules(executable: String? = executablePath) -> [String] {
        let installed = installedRules.filter(Files.exists)
        if !installed.isEmpty { return installed }
        guard let executable else { return [] }
        var folder = parent(executable)
        var candidates = [parent(folder) + "/share/falco/falco_rules.yaml"]
        for _ in 0..<5 {
            candidates.append(folder + "/rules/falco_rules.yaml")
            folder = parent(folder)
        }
        return candidates.first(where: Files.exists).map { [$0] } ?? []
    }

    static var executablePath: String? {
        (try? Files.link("/proc/self/exe")).map { String(decoding: $0, as: UTF8.self) }
    }
    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}

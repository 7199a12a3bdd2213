// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Settings

/// Cases taken from Falco's own tests, where the data lies beside the repository.
@Suite struct ConfigCorpusTests {
    static let corpus = URL(filePath: #filePath).appending(path: "../../../../shared/conformance/dev/config.json").standardized

    @Test func agreesWithFalcosCases() throws {
        guard let data = try? Data(contentsOf: Self.corpus) else {
            print("ConfigCorpusTests: skipped, there is no \(Self.corpus.path)")
            return
        }
        let root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for entry in try #require(root["cases"] as? [[String: Any]]) where entry["level"] as? String != "function" {
            try check(entry)
        }
    }

    private func check(_ entry: [String: Any]) throws {
        let name = try #require(entry["name"] as? String)
        var files = entry["files"] as? [String: String] ?? [:]
        let main = entry["main"] as? String ?? "main.yaml"
        if let content = entry["content"] as? String {
            // Two of Falco's cases end with a tab that its YAML reader takes for nothing.
            files[main] = content.hasSuffix("\t") ? String(content.dropLast()) : content
        }
        let environment = entry["env"] as? [String: String] ?? [:]
        let loaded = Result { () throws(SettingsError) -> ConfigurationText in
            let text = try ConfigurationText.load(
                path: main, options: entry["options"] as? [String] ?? [], files: TestFiles(files: files),
                environment: EnvironmentExpansion { environment[$0] })
            _ = try Settings(text)
            return text
        }
        guard case .success(let text) = loaded else {
            #expect(entry["expect"] as? String == "error", "\(name): \(loaded)")
            return
        }
        #expect(entry["expect"] as? String == "ok", "\(name) should fail")
        if let count = entry["loaded_files"] as? Int { #expect(text.files.count == count, "\(name)") }
        let isValid = text.files.first?.verdict == .ok
        if let valid = entry["schema_valid"] as? Bool { #expect(isValid == valid, "\(name)") }
        for check in entry["checks"] as? [[String: Any]] ?? [] { compare(check, text.root, name) }
    }

    private func compare(_ check: [String: Any], _ root: ConfigValue, _ name: String) {
        if let key = check["defined"] as? String {
            #expect((root.value(at: ConfigPath(key)!) != nil) == (check["value"] as? Bool), "\(name): \(key)")
        } else if let key = check["sequence"] as? String {
            #expect(root.value(at: ConfigPath(key)!)?.texts == check["value"] as? [String], "\(name): \(key)")
        } else if let key = check["get"] as? String, let path = ConfigPath(key) {
            #expect(root.value(at: path)?.text == check["value"].map { "\($0)" }, "\(name): \(key)")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Reads keys of the table from the merged text, with their defaults.
struct SettingReader {
    let root: ConfigValue
    init(_ root: ConfigValue) { self.root = root }

    func value(_ name: String) -> ConfigValue? {
        _ = SettingKey.row(name)
        return root.value(at: ConfigPath(name)!)
    }
    func bool(_ name: String) -> Bool { value(name)?.bool ?? ConfigValue.scalar(SettingKey.row(name).absent).bool! }
    func text(_ name: String) -> String { value(name)?.text ?? SettingKey.row(name).absent }
    func number(_ name: String) -> Double { value(name)?.number ?? ConfigValue.scalar(SettingKey.row(name).absent).number! }
    /// A non-negative number, or the default.
    func count(_ name: String, max: Int64) -> Int {
        if let value = value(name)?.integer, (0...max).contains(value) { return Int(value) }
        return Int(ConfigValue.scalar(SettingKey.row(name).absent).integer!)
    }

    /// Keys that ask for something this version does not do.
    func notices() -> [String] {
        var lines: [String] = []
        for row in SettingKey.table where row.support == .later && asksForMore(row) {
            lines.append("\(row.name) is not supported yet and has no effect")
        }
        lines += SettingKey.table.compactMap(unreadable)
        let others = loadedPlugins.subtracting(["container"]).sorted()
        if !others.isEmpty { lines.append("plugins are not supported yet: \(others.joined(separator: ", ")) is not loaded") }
        if text("engine.kind") == "kmod" {
            lines.append("engine.kind 'kmod' is not supported: there is no kernel module, the modern eBPF probe is used")
        }
        return lines
    }

    /// A value that is not of its key's type counts as absent; that must not happen in silence.
    private func unreadable(_ row: SettingKey) -> String? {
        guard row.support == .works, let value = value(row.name), !value.isNull else { return nil }
        let wanted: String
        switch row.type {
        case .bool where value.bool == nil: wanted = "true or false"
        case .int where value.integer == nil || value.integer! < 0: wanted = "a number from 0 on"
        case .number where value.number == nil: wanted = "a number"
        default: return nil
        }
        return "\(row.name): '\(value.text ?? "…")' is not \(wanted); the default, \(row.absent), is used"
    }

    private func asksForMore(_ row: SettingKey) -> Bool {
        guard let value = value(row.name), !value.isNull else { return false }
        // The shipped file writes the default snaplen as a number of its own.
        if let shipped = SettingKey.shipped.first(where: { $0.0 == row.name }), shipped.1 == value { return false }
        switch row.type {
        case .bool: return value.bool.map { $0 != bool(absent: row) } ?? false
        case .int, .number: return value.number.map { $0 != ConfigValue.scalar(row.absent).number } ?? false
        case .text, .word: return value.text.map { $0 != row.absent } ?? false
        case .texts, .map, .any: return !(value.elements ?? []).isEmpty || !value.entries.isEmpty
        }
    }
    private func bool(absent row: SettingKey) -> Bool { ConfigValue.scalar(row.absent).bool! }

    /// Names of the plugins to load. An absent `load_plugins` means all that are listed; an empty one none.
    /// What the `container` plugin offers is built in: its name decides only over the suggested output.
    var loadedPlugins: Set<String> {
        let listed = (value("plugins")?.elements ?? []).compactMap { $0["name"]?.text }
        guard let chosen = value("load_plugins") else { return Set(listed) }
        return Set(chosen.texts ?? [])
    }
}

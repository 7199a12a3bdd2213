// SPDX-License-Identifier: Apache-2.0
import EventModel

/// Users and groups from /etc/passwd and /etc/group, read as files: name services may block, lie about other roots, or load code.
public enum Accounts {
    /// Rows of `root`/etc/passwd; a line that is not one is left out.
    public static func users(root: String = "") -> [UserRow] {
        guard let content = try? Files.read(root + "/etc/passwd", bytesMax: 16 << 20) else { return [] }
        return parsePasswd(content)
    }

    public static func groups(root: String = "") -> [GroupRow] {
        guard let content = try? Files.read(root + "/etc/group", bytesMax: 16 << 20) else { return [] }
        return parseGroup(content)
    }

    /// `name:password:uid:gid:gecos:home:shell`
    public static func parsePasswd(_ content: [UInt8]) -> [UserRow] {
        rows(content).compactMap { fields in
            guard fields.count >= 7, !fields[0].isEmpty, let uid = decimal(fields[2]), let gid = decimal(fields[3]) else {
                return nil
            }
            var row = UserRow()
            (row.uid, row.gid) = (uid, gid)
            (row.name, row.home, row.shell) = (Array(fields[0]), Array(fields[5]), Array(fields[6]))
            return row
        }
    }

    /// `name:password:gid:members`
    public static func parseGroup(_ content: [UInt8]) -> [GroupRow] {
        rows(content).compactMap { fields in
            guard fields.count >= 3, !fields[0].isEmpty, let gid = decimal(fields[2]) else { return nil }
            var row = GroupRow()
            row.gid = gid
            row.name = Array(fields[0])
            return row
        }
    }

    private static func rows(_ content: [UInt8]) -> [[ArraySlice<UInt8>]] {
        content.split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "#") }
            .map { $0.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) }
    }

    private static func decimal(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard !text.isEmpty, text.count <= 10, text.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return UInt32(exactly: text.reduce(0) { $0 * 10 + UInt64($1 - 48) })
    }
}

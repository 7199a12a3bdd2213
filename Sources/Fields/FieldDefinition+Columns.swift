// SPDX-License-Identifier: Apache-2.0
import SystemState

extension FieldDefinition {
    /// The columns of the state that this field reads beyond the event itself and what exec, clone and exit tell.
    public var stateColumns: StateColumns {
        let parts = name.split(separator: ".")
        guard let family = parts.first else { return [] }
        switch family {
        case "fd", "fdlist": return [.descriptors, .directory]
        case "fs": return [.descriptors, .directory]
        case "kernel": return name.hasPrefix("kernel.args") ? [] : [.descriptors, .directory]
        case "user", "group": return name == "user.loginuid" || name == "user.loginname" ? [] : .identity
        case "evt", "syscall":
            switch name {
            // Texts of arguments name descriptors, users and paths.
            case "evt.args", "evt.arg", "evt.info", "evt.abspath": return [.descriptors, .directory, .identity]
            case "evt.is_syslog", "evt.category": return .descriptors
            default: return name.hasPrefix("evt.buflen") || name.hasPrefix("evt.count.error.") ? .descriptors : []
            }
        case "proc", "thread": return processColumns
        default: return []
        }
    }

    private var processColumns: StateColumns {
        switch name {
        case "proc.cwd": return .directory
        case "proc.fdopencount": return .descriptors
        case "proc.fdusage": return [.descriptors, .limits]
        case "proc.fdlimit": return .limits
        case "thread.cap_permitted", "thread.cap_inheritable", "thread.cap_effective": return .capabilities
        default: break
        }
        if name.hasPrefix("proc.std") { return [.descriptors, .directory] }
        for prefix in [
            "proc.sid", "proc.sname", "proc.pgid", "proc.vpgid", "proc.loginshellid", "proc.is_sid", "proc.is_pgid",
            "proc.is_vpgid",
        ]
        where name.hasPrefix(prefix) { return .session }
        return []
    }
}

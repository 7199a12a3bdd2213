// SPDX-License-Identifier: Apache-2.0
import EventModel
import SystemState

/// The account that the thread runs as (`user.*`).
public enum UserField: UInt16, FieldFamily {
    case uid, name, homeDirectory, shell, loginUid, loginName

    public static let number = FieldFamilies.user
    public static let classes = [
        FieldClassRows<UserField>(
            "user", "The account behind the event, by its effective and its login identity.",
            rows: [
                .init(.uid, "user.uid", .uint32, .id, "Effective user number of the thread."),
                .init(.name, "user.name", .charbuf, "Name of the account with that number."),
                .init(.homeDirectory, "user.homedir", .charbuf, "Home directory of the account."),
                .init(.shell, "user.shell", .charbuf, "Login shell of the account."),
                .init(.loginUid, "user.loginuid", .int64, .id, "User number at login (audit uid); -1 where nobody logged in."),
                .init(.loginName, "user.loginname", .charbuf, "Name of the account with the login user number."),
            ])
    ]

    @inline(__always)
    static func extract(_ field: UserField, context: borrowing EventContext, state: SystemState) -> FieldValue {
        let slot = context.thread
        guard slot.exists else { return .none }
        switch field {
        case .uid: return .uint(UInt64(state[slot].uid))
        case .name: return .bytes(Account.userName(state[slot].uid, of: slot, state))
        case .homeDirectory:
            let uid = state[slot].uid
            if let user = state.user(uid, of: slot) { return .bytes(state.pool[user.home]) }
            return .bytes(uid == 0 ? Account.rootHome : Account.unknown)
        case .shell:
            if let user = state.user(state[slot].uid, of: slot) { return .bytes(state.pool[user.shell]) }
            return .bytes(Account.unknown)
        case .loginUid:
            let uid = state[slot].loginuid
            return .int(uid == UInt32.max ? -1 : Int64(uid))
        // Who logged in did so on the host.
        case .loginName: return .bytes(Account.userName(state[slot].loginuid, of: .none, state))
        }
    }
}

/// The group that the thread runs as (`group.*`).
public enum GroupField: UInt16, FieldFamily {
    case gid, name

    public static let number = FieldFamilies.group
    public static let classes = [
        FieldClassRows<GroupField>(
            "group", "The group behind the event.",
            rows: [
                .init(.gid, "group.gid", .uint32, .id, "Effective group number of the thread."),
                .init(.name, "group.name", .charbuf, "Name of the group with that number."),
            ])
    ]

    @inline(__always)
    static func extract(_ field: GroupField, context: borrowing EventContext, state: SystemState) -> FieldValue {
        let slot = context.thread
        guard slot.exists else { return .none }
        switch field {
        case .gid: return .uint(UInt64(state[slot].gid))
        case .name: return .bytes(Account.groupName(state[slot].gid, of: slot, state))
        }
    }
}

/// Names of accounts as rules know them: where no account is known, `root` for 0 and the text `<NA>` otherwise.
enum Account {
    static var unknown: Bytes { Bytes("<NA>") }
    static var rootHome: Bytes { Bytes("/root") }

    static func userName(_ uid: UInt32, of slot: ThreadSlot, _ state: SystemState) -> Bytes {
        if let user = state.user(uid, of: slot) { return state.pool[user.name] }
        return uid == 0 ? Bytes("root") : unknown
    }
    static func groupName(_ gid: UInt32, of slot: ThreadSlot, _ state: SystemState) -> Bytes {
        if let name = state.groupName(gid, of: slot) { return state.pool[name] }
        return gid == 0 ? Bytes("root") : unknown
    }
}

extension Bytes {
    /// A constant; lives for ever.
    @inline(__always)
    init(_ text: StaticString) { self.init(base: text.utf8Start, count: text.utf8CodeUnitCount) }
}

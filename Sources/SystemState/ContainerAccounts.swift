// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import EventModel

/// Accounts of containers, as events of a capture tell them. A container has its own /etc/passwd: number 1000 there is not number
/// 1000 of the host.
struct ContainerAccounts {
    private struct Key: Hashable {
        let container: PoolID
        let id: UInt32
    }
    /// Untrusted captures may tell of any number.
    static let countMax = 1 << 16
    private var users: [Key: UserRecord] = [:]
    private var groups: [Key: PoolID] = [:]

    func user(_ uid: UInt32, in container: PoolID) -> UserRecord? {
        users.isEmpty ? nil : users[Key(container: container, id: uid)]
    }
    func group(_ gid: UInt32, in container: PoolID) -> PoolID? {
        groups.isEmpty ? nil : groups[Key(container: container, id: gid)]
    }
    mutating func setUser(_ uid: UInt32, in container: PoolID, _ record: UserRecord?) {
        guard record == nil || users.count < Self.countMax else { return }
        users[Key(container: container, id: uid)] = record
    }
    mutating func setGroup(_ gid: UInt32, in container: PoolID, _ name: PoolID?) {
        guard name == nil || groups.count < Self.countMax else { return }
        groups[Key(container: container, id: gid)] = name
    }

    func mark(_ pool: BytePool) {
        for (key, user) in users {
            for id in [key.container, user.name, user.home, user.shell] { pool.mark(id) }
        }
        for (key, name) in groups {
            pool.mark(key.container)
            pool.mark(name)
        }
    }
}

extension SystemState {
    /// The account of a number as the thread's container knows it; where that tells nothing, as the host does.
    public func user(_ uid: UInt32, of slot: ThreadSlot) -> UserRecord? {
        guard slot.exists else { return user(uid) }
        let container = row(slot).pointee.containerID
        if !container.isEmpty, let found = containerAccounts.user(uid, in: container) { return found }
        return user(uid)
    }
    public func groupName(_ gid: UInt32, of slot: ThreadSlot) -> PoolID? {
        guard slot.exists else { return groupName(gid) }
        let container = row(slot).pointee.containerID
        if !container.isEmpty, let found = containerAccounts.group(gid, in: container) { return found }
        return groupName(gid)
    }

    /// Accounts that came or went.
    func applyAccountEvent(_ event: EventView) {
        switch event.type {
        case PPME_USER_ADDED_E:
            guard let uid = event.uint32(0), let gid = event.uint32(1), let name = event.text(2) else { return }
            let record = UserRecord(
                uid: uid, gid: gid, name: pool.intern(name), home: pool.intern(event.text(3) ?? .empty),
                shell: pool.intern(event.text(4) ?? .empty))
            setUser(uid, record, container: event.text(5) ?? .empty)
        case PPME_USER_DELETED_E:
            guard let uid = event.uint32(0) else { return }
            setUser(uid, nil, container: event.text(5) ?? .empty)
        case PPME_GROUP_ADDED_E:
            guard let gid = event.uint32(0), let name = event.text(1) else { return }
            setGroup(gid, pool.intern(name), container: event.text(2) ?? .empty)
        case PPME_GROUP_DELETED_E:
            guard let gid = event.uint32(0) else { return }
            setGroup(gid, nil, container: event.text(2) ?? .empty)
        default: break
        }
    }

    /// A recorder that could not look a name up in the container wrote `<NA>`, which tells nothing of it.
    private func isTold(_ name: PoolID?) -> Bool { name.map { !(pool[$0] == "<NA>") } ?? true }

    private func setUser(_ uid: UInt32, _ record: UserRecord?, container: Bytes) {
        if container.isEmpty {
            if record == nil || users.count < ContainerAccounts.countMax { users[uid] = record }
        } else if isTold(record?.name) {
            containerAccounts.setUser(uid, in: pool.intern(container), record)
        }
    }
    private func setGroup(_ gid: UInt32, _ name: PoolID?, container: Bytes) {
        if container.isEmpty {
            if name == nil || groups.count < ContainerAccounts.countMax { groups[gid] = name }
        } else if isTold(name) {
            containerAccounts.setGroup(gid, in: pool.intern(container), name)
        }
    }
}

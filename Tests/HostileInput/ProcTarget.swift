// SPDX-License-Identifier: Apache-2.0
import EventModel
import LinuxSystem
import SystemState

/// Input: which text it is, then the text.
enum ProcTarget {
    static func run(_ input: Bytes) {
        guard input.count > 1 else { return }
        let text = input.from(1).array
        switch input[0] % 8 {
        case 0:
            var row = ThreadRow()
            row.tid = 5
            ProcFilesystem.fill(&row, status: text)
            precondition(!row.comm.contains(10), "a name ends with its line")
            guard isForState(text) else { return }
            let state = SystemState(threadsMax: 8)
            state.thread(row)
            state.finishSnapshot()
        case 1:
            if let numbers = ProcFilesystem.statNumbers(text) {
                precondition(numbers.majorFaults <= UInt64(Int64.max), "numbers of a stat line are not negative")
            }
        case 2:
            let cgroups = ProcFilesystem.cgroups(text)
            precondition(cgroups.count <= 4096, "control groups have a bound")
            guard isForState(text) else { return }
            var row = ThreadRow()
            (row.tid, row.pid, row.cgroups) = (5, 5, cgroups)
            SystemState(threadsMax: 8).thread(row)
        case 3: check(users: Accounts.parsePasswd(text))
        case 4: for row in Accounts.parseGroup(text) { precondition(!row.name.contains(10), "a group's name ends with its line") }
        case 5: sockets(["tcp", "udp6"], text)
        case 6: sockets(["unix"], text)
        default: sockets(["netlink", "tcp6", "raw"], text)
        }
    }

    /// A state costs twenty times what a text does: one in sixteen gets as far.
    private static func isForState(_ text: [UInt8]) -> Bool { text.count % 16 == 0 }

    private static func check(users: [UserRow]) {
        for row in users { precondition(!row.name.contains(10) && !row.home.contains(10), "a user ends with the line") }
    }

    private static func sockets(_ names: [String], _ text: [UInt8]) {
        let table = SocketTable { names.contains($0) ? text : nil }
        for inode: UInt64 in [0, 1, 12345, .max] {
            var row = DescriptorRow()
            row.fd = 3
            table.fill(&row, inode: inode, name: [115])
            guard isForState(text) else { continue }
            let state = SystemState(threadsMax: 8)
            var thread = ThreadRow()
            (thread.tid, thread.pid) = (5, 5)
            state.thread(thread)
            state.descriptor(row, tid: 5)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CProbeABI
import CaptureFile
import EventModel

/// Small valid inputs for each target.
enum Seeds {
    private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    private static func record(_ event: [UInt8], flags: UInt8 = 0) -> [UInt8] { little(UInt16(event.count)) + [flags] + event }

    /// A process that another starts, then the type in question twice, then its end.
    static func events() -> [[UInt8]] {
        let before = [PPME_SYSCALL_CLONE_20_X, PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_OPENAT_2_X].map { Int($0.rawValue) }
        return EventTable.events.indices.map { code in
            var input: [UInt8] = [UInt8(code % HostileRules.count)]
            for (step, earlier) in before.enumerated() where code % 4 == 0 || earlier == Int(PPME_SYSCALL_OPENAT_2_X.rawValue) {
                input += record(EventShapes.event(earlier, variant: step))
            }
            input += record(EventShapes.event(code, variant: code))
            input += record(EventShapes.event(code, variant: code + 1), flags: 4)
            return input
        }
    }

    /// Kind of block by what the version wants: 0 without a parameter count, 1 with one.
    static func oldEvents() -> [[UInt8]] {
        EventTable.events.indices.map { code in
            let enter = EventShapes.event(code & ~1, variant: code)
            let exit = EventShapes.event(min(code | 1, EventTable.count - 1), variant: code + 1)
            var input: [UInt8] = [UInt8(code % HostileRules.count)]
            for event in [enter, exit, exit] {
                if code % 3 == 0 {  // version 1: the count is not there
                    let total = UInt32(event.count - 4)
                    let old = Array(event[..<16]) + little(total) + Array(event[20..<22]) + Array(event[26...])
                    input += [0] + little(UInt16(old.count)) + old
                } else {
                    input += [1] + little(UInt16(event.count)) + event
                }
            }
            return input
        }
    }

    static func rings() -> [[UInt8]] {
        let ring = EventTable.events.indices.map { code -> [UInt8] in
            var input: [UInt8] = [UInt8(code % HostileRules.count)]
            for step in 0..<2 {
                // processor, flags, process id; then the event
                let body = little(UInt16(1)) + little(UInt16(step == 0 && code % 2 == 0 ? 1 : 0)) + little(UInt32(10))
                let event = body + EventShapes.event(code, variant: code + step)
                input += little(UInt32(event.count)) + little(UInt32(0)) + event
                while (input.count - 1) % 8 != 0 { input.append(0) }
            }
            return input
        }
        let iterators = EventTable.events.indices.filter { EventTable.events[$0].identifier.contains("PPME_ITER_") }.map { code in
            [0x80 | UInt8(code % HostileRules.count)] + little(UInt16(1)) + little(UInt16(0)) + little(UInt32(10))
                + EventShapes.event(code, variant: code)
        }
        return ring + iterators
    }

    static func captures() -> [[UInt8]] {
        var seeds: [[UInt8]] = []
        for (index, kind) in DescriptorKind.allCases.enumerated() {
            var encoder = CaptureEncoder()
            encoder.appendSection()
            var machine = MachineRow()
            machine.hostname = Array("host".utf8)
            if index % 3 == 0 { encoder.append(machine) }
            if index % 3 == 1 { encoder.append([InterfaceRow()]) }
            if index % 3 == 2 { encoder.append(users: [UserRow()], groups: [GroupRow()]) }
            var thread = ThreadRow()
            (thread.tid, thread.pid, thread.comm) = (10, 10, Array("cat".utf8))
            thread.cgroups = Array("cpu=/a\0".utf8)
            encoder.append([thread])
            var descriptor = DescriptorRow()
            (descriptor.fd, descriptor.kind, descriptor.name) = (3, kind, Array("/a".utf8))
            encoder.append([descriptor], tid: 10)
            for code in stride(from: index * 20, to: min(EventTable.count, index * 20 + 20), by: 7) {
                EventShapes.event(code, variant: code).withUnsafeBytes {
                    if let view = try? EventView(checking: Bytes($0), cpu: 1) { _ = encoder.append(view) }
                }
            }
            if index % 4 == 0 { encoder.appendSection() }
            seeds.append([UInt8(index % 16) | (index % 5 == 0 ? 0x80 : 0)] + encoder.bytes)
        }
        return seeds
    }

    static let proc: [[UInt8]] = [
        "Name:\tcat\nTgid:\t5\nPid:\t5\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNStgid:\t5\t1\nNSpid:\t5\t1\nNSpgid:\t5\t1\n"
            + "VmSize:\t  10 kB\nVmRSS:\t 5 kB\nVmSwap:\t 0 kB\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n"
            + "CapEff:\t000001ffffffffff\n",
        "5 (a) b) S 1 5 5 34816 5 4194304 10 0 1 0 0 0 0 0 20 0 1 0 12345 1000 10 18446744073709551615",
        "12:cpuset:/docker/aa\n3:cpu,cpuacct:/docker/aa\n2:blkio:/\n0::/system.slice/docker-"
            + String(repeating: "a1", count: 32) + ".scope\n",
        "root:x:0:0:root:/root:/bin/bash\n# note\nu:x:1000:1000::/home/u:/bin/sh\n", "root:x:0:\nusers:x:100:a,b\n",
        "  sl  local_address rem_address\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 1\n",
        "Num RefCount Protocol Flags Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x.sock\n",
        "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n0000000000000000 0 1 0 0 0 0 2 0 12345\n",
    ].enumerated().map { [UInt8($0.offset)] + Array($0.element.utf8) }

    static let conditions: [[UInt8]] = [
        "evt.type = open and fd.name startswith /etc", "not (proc.name in (bash, \"a b\") or evt.arg.flags contains O_CREAT)",
        "proc.aname[2] pmatch (/a, /b) and tolower(proc.name) = val(proc.exe)", "fd.snet in (10.0.0.0/8, ::1/64)",
        "proc.env[HOME] exists and fd.name regex '^/etc/.*$'", "evt.buffer bcontains 00ff and evt.rawres >= -2",
        "len(proc.cmdline) > 10 and fd.name glob '/tmp/[a-z]*?'",
    ].map { Array($0.utf8) }

    static let rules: [[UInt8]] =
        [
            "- list: l\n  items: [a, 'b c']\n- macro: m\n  condition: proc.name in (l)\n- rule: r\n  desc: d\n  condition: m and evt.type=open\n"
                + "  output: x %proc.name (%fd.name)\n  priority: WARNING\n  tags: [t]\n  exceptions:\n  - name: e\n"
                + "    fields: [proc.name, fd.name]\n    comps: [in, startswith]\n    values:\n    - [[a], /b]\n",
            "- rule: r\n  enabled: false\n  override: {enabled: replace}\n", "- required_engine_version: 0.26.0\n",
        ].map { [0] + Array($0.utf8) }
        + ["l: a, b\nm: proc.name in (l)\nm and evt.type = open | INFO %proc.name\n"].map { [1] + Array($0.utf8) }
}

// SPDX-License-Identifier: Apache-2.0
import EventModel

/// The thread that raised the event, its process and its ancestors (`proc.*`, `thread.*`).
public enum ProcessField: UInt16, FieldFamily {
    case exe, parentExe, ancestorExe, exePath, parentExePath, ancestorExePath, name, parentName, ancestorName
    case arguments, ancestorArguments, commandLine, parentCommandLine, ancestorCommandLine
    case argumentCount, argumentLength, exeLine, environment, ancestorEnvironment, workingDirectory
    case loginShellPid, tty, pid, parentPid, ancestorPid, virtualPid, parentVirtualPid
    case sessionID, sessionName, sessionExe, sessionExePath
    case virtualGroupID, virtualGroupName, virtualGroupExe, virtualGroupExePath
    case groupID, groupName, groupExe, groupExePath
    case duration, parentDuration, startTime, parentStartTime
    case exeIsWritable, exeIsUpperLayer, exeIsLowerLayer, exeIsFromMemfd
    case isSessionLeader, isVirtualGroupLeader, isGroupLeader
    case exeInode, exeInodeChanged, exeInodeModified, exeChangedBeforeStart, exeChangedAfterNamespace, namespaceStart
    case capPermitted, capInheritable, capEffective
    case descriptorCount, descriptorLimit, descriptorUsage
    case virtualMemory, residentMemory, swappedMemory, majorFaults, minorFaults
    case tid, isMain, virtualTid, nameAndTid, lastRunTime, totalRunTime, cgroups, cgroup, threadCount, childCount
    case cpu, cpuUser, cpuSystem, threadVirtualMemory, threadResidentMemory, threadVirtualBytes, threadResidentBytes
    case stdinType, stdoutType, stderrType, stdinName, stdoutName, stderrName

    public static let number = FieldFamilies.process
    public static let classes = [
        FieldClassRows<ProcessField>(
            "process", "The thread that raised the event, its process and the processes above it.", rows: rows)
    ]

    private static let ancestor: FieldFlags = [.argumentOptional, .argumentIndex, .anyOf, .noRightSide, .noTransformer]

    private static let rows: [FieldRow<ProcessField>] = [
        .init(.exe, "proc.exe", .charbuf, "First word of the command line (argv[0]), which a program may choose freely."),
        .init(.parentExe, "proc.pexe", .charbuf, "proc.exe of the parent process."),
        .init(
            .ancestorExe, "proc.aexe", .charbuf, .na, ancestor,
            "proc.exe of an ancestor: [1] the parent, [2] its parent, [0] the process; without index of any ancestor."
        ),
        .init(.exePath, "proc.exepath", .charbuf, "Path of the file that runs, with symbolic links resolved by the kernel."),
        .init(.parentExePath, "proc.pexepath", .charbuf, "proc.exepath of the parent process."),
        .init(
            .ancestorExePath, "proc.aexepath", .charbuf, .na, ancestor,
            "proc.exepath of an ancestor, by level as in proc.aexe, or of any ancestor without index."),
        .init(.name, "proc.name", .charbuf, "Name of the process as the kernel has it, at most 15 bytes."),
        .init(.parentName, "proc.pname", .charbuf, "proc.name of the parent process."),
        .init(
            .ancestorName, "proc.aname", .charbuf, .na, ancestor,
            "proc.name of an ancestor, by level as in proc.aexe, or of any ancestor without index."),
        .init(
            .arguments, "proc.args", .charbuf, .na, [.argumentOptional, .argumentIndex],
            "Arguments after argv[0], separated by blanks; proc.args[n] is the n-th of them, counted from 0."),
        .init(
            .ancestorArguments, "proc.aargs", .charbuf, .na, [.argumentOptional, .argumentIndex, .anyOf],
            "proc.args of an ancestor, by level as in proc.aexe, or of any ancestor without index."),
        .init(.commandLine, "proc.cmdline", .charbuf, "proc.name and proc.args, separated by a blank."),
        .init(.parentCommandLine, "proc.pcmdline", .charbuf, "proc.cmdline of the parent process."),
        .init(
            .ancestorCommandLine, "proc.acmdline", .charbuf, .na, ancestor,
            "proc.cmdline of an ancestor, by level as in proc.aexe, or of any ancestor without index."),
        .init(.argumentCount, "proc.cmdnargs", .uint64, .dec, "Number of arguments after argv[0]."),
        .init(.argumentLength, "proc.cmdlenargs", .uint64, .dec, "Bytes in all arguments after argv[0], separators not counted."),
        .init(.exeLine, "proc.exeline", .charbuf, "proc.exe and proc.args, separated by a blank."),
        .init(
            .environment, "proc.env", .charbuf, .na, [.argumentOptional, .argumentKey],
            "Environment of the process as NAME=value words; proc.env[NAME] is one value, empty when it is not set."),
        .init(
            .ancestorEnvironment, "proc.aenv", .charbuf, .na, ancestor.union(.argumentKey),
            "proc.env of an ancestor, by level or of any; proc.aenv[NAME] is the nearest value within 20 levels."),
        .init(.workingDirectory, "proc.cwd", .charbuf, "Working directory of the process, with a final slash."),
        .init(.loginShellPid, "proc.loginshellid", .int64, .id, "Pid of the topmost shell among the process and its ancestors."),
        .init(.tty, "proc.tty", .uint32, .id, "Number of the controlling terminal; 0 without one."),
        .init(.pid, "proc.pid", .int64, .id, "Process id."),
        .init(.parentPid, "proc.ppid", .int64, .id, "Process id of the parent, where the parent is known."),
        .init(
            .ancestorPid, "proc.apid", .int64, .id, ancestor,
            "proc.pid of an ancestor, by level as in proc.aexe, or of any ancestor without index."),
        .init(.virtualPid, "proc.vpid", .int64, .id, "Process id inside the process's own pid namespace."),
        .init(.parentVirtualPid, "proc.pvpid", .int64, .id, "proc.vpid of the parent process."),
        .init(.sessionID, "proc.sid", .int64, .id, "Session id."),
        .init(
            .sessionName, "proc.sname", .charbuf,
            "proc.name of the session leader, or of the highest ancestor in the same session."),
        .init(.sessionExe, "proc.sid.exe", .charbuf, "proc.exe of the session leader."),
        .init(.sessionExePath, "proc.sid.exepath", .charbuf, "proc.exepath of the session leader."),
        .init(.virtualGroupID, "proc.vpgid", .int64, .id, "Process group id inside the process's own pid namespace."),
        .init(.virtualGroupName, "proc.vpgid.name", .charbuf, "proc.name of the leader of that process group."),
        .init(.virtualGroupExe, "proc.vpgid.exe", .charbuf, "proc.exe of the leader of that process group."),
        .init(.virtualGroupExePath, "proc.vpgid.exepath", .charbuf, "proc.exepath of the leader of that process group."),
        .init(.groupID, "proc.pgid", .int64, .id, "Process group id as the host sees it."),
        .init(.groupName, "proc.pgid.name", .charbuf, "proc.name of the process group leader."),
        .init(.groupExe, "proc.pgid.exe", .charbuf, "proc.exe of the process group leader."),
        .init(.groupExePath, "proc.pgid.exepath", .charbuf, "proc.exepath of the process group leader."),
        .init(.duration, "proc.duration", .reltime, .dec, "Nanoseconds since the process started."),
        .init(.parentDuration, "proc.ppid.duration", .reltime, .dec, "Nanoseconds since the parent process started."),
        .init(.startTime, "proc.pid.ts", .reltime, .dec, "When the process started, in nanoseconds since the epoch."),
        .init(
            .parentStartTime, "proc.ppid.ts", .reltime, .dec, "When the parent process started, in nanoseconds since the epoch."),
        .init(
            .exeIsWritable, "proc.is_exe_writable", .bool,
            "True if the user who started the process may write its executable file."),
        .init(
            .exeIsUpperLayer, "proc.is_exe_upper_layer", .bool, "True if the executable lies in the upper layer of an overlay."),
        .init(.exeIsLowerLayer, "proc.is_exe_lower_layer", .bool, "True if the executable lies in a lower layer of an overlay."),
        .init(
            .exeIsFromMemfd, "proc.is_exe_from_memfd", .bool,
            "True if the executable is an anonymous file in memory (memfd_create)."),
        .init(.isSessionLeader, "proc.is_sid_leader", .bool, "True if proc.sid equals proc.vpid."),
        .init(.isVirtualGroupLeader, "proc.is_vpgid_leader", .bool, "True if proc.vpgid equals proc.vpid."),
        .init(.isGroupLeader, "proc.is_pgid_leader", .bool, "True if proc.pgid equals proc.pid."),
        .init(.exeInode, "proc.exe_ino", .int64, .dec, "Inode number of the executable file."),
        .init(.exeInodeChanged, "proc.exe_ino.ctime", .abstime, .dec, "Last status change of the executable, epoch nanoseconds."),
        .init(
            .exeInodeModified, "proc.exe_ino.mtime", .abstime, .dec, "Last change of the executable's content, epoch nanoseconds."
        ),
        .init(
            .exeChangedBeforeStart, "proc.exe_ino.ctime_duration_proc_start", .abstime, .dec,
            "Nanoseconds from the executable's last status change to the start of the process; wraps around where it changed later."
        ),
        .init(
            .exeChangedAfterNamespace, "proc.exe_ino.ctime_duration_pidns_start", .abstime, .dec,
            "Nanoseconds from the start of the pid namespace to the executable's last status change, where that is later."),
        .init(
            .namespaceStart, "proc.pidns_init_start_ts", .uint64, .dec,
            "When the pid namespace's first process started, epoch nanoseconds."),
        .init(.capPermitted, "thread.cap_permitted", .charbuf, "Names of the permitted capabilities."),
        .init(.capInheritable, "thread.cap_inheritable", .charbuf, "Names of the inheritable capabilities."),
        .init(.capEffective, "thread.cap_effective", .charbuf, "Names of the effective capabilities."),
        .init(.descriptorCount, "proc.fdopencount", .uint64, .dec, "Open descriptors of the process that are known."),
        .init(.descriptorLimit, "proc.fdlimit", .int64, .dec, "How many descriptors the process may open."),
        .init(.descriptorUsage, "proc.fdusage", .double, "proc.fdopencount in percent of proc.fdlimit."),
        .init(.virtualMemory, "proc.vmsize", .uint64, .dec, "Virtual memory of the process in KiB."),
        .init(.residentMemory, "proc.vmrss", .uint64, .dec, "Resident memory of the process in KiB."),
        .init(.swappedMemory, "proc.vmswap", .uint64, .dec, "Swapped-out memory of the process in KiB."),
        .init(.majorFaults, "thread.pfmajor", .uint64, .dec, "Page faults of the thread that needed the disk."),
        .init(.minorFaults, "thread.pfminor", .uint64, .dec, "Page faults of the thread that did not need the disk."),
        .init(.tid, "thread.tid", .int64, .id, "Thread id."),
        .init(.isMain, "thread.ismain", .bool, "True for the first thread of a process."),
        .init(.virtualTid, "thread.vtid", .int64, .id, "Thread id inside the thread's own pid namespace."),
        .init(.nameAndTid, "thread.nametid", .charbuf, .na, .hidden, "proc.name followed by the thread id."),
        .init(.lastRunTime, "thread.exectime", .reltime, .dec, "Time the thread just ran, for switch events only."),
        .init(
            .totalRunTime, "thread.totexectime", .reltime, .dec,
            "Time the thread ran since the capture began, for switch events only."),
        .init(.cgroups, "thread.cgroups", .charbuf, "Control groups of the thread as subsystem=path words."),
        .init(
            .cgroup, "thread.cgroup", .charbuf, .na, [.argumentRequired, .argumentKey, .argumentAfterDot],
            "Control group of the thread in one subsystem, as in thread.cgroup.cpuacct."),
        .init(.threadCount, "proc.nthreads", .uint64, .dec, "Living threads of the process, the first one counted if it lives."),
        .init(.childCount, "proc.nchilds", .uint64, .dec, "Living threads of the process besides its first one."),
        .init(.cpu, "thread.cpu", .double, "Processor use of the thread over the last second, in percent."),
        .init(.cpuUser, "thread.cpu.user", .double, "The part of thread.cpu spent in user code."),
        .init(.cpuSystem, "thread.cpu.system", .double, "The part of thread.cpu spent in the kernel."),
        .init(
            .threadVirtualMemory, "thread.vmsize", .uint64, .dec,
            "proc.vmsize for the first thread of a process, 0 for the others."),
        .init(
            .threadResidentMemory, "thread.vmrss", .uint64, .dec,
            "proc.vmrss for the first thread of a process, 0 for the others."),
        .init(.threadVirtualBytes, "thread.vmsize.b", .uint64, .dec, .hidden, "thread.vmsize in bytes."),
        .init(.threadResidentBytes, "thread.vmrss.b", .uint64, .dec, .hidden, "thread.vmrss in bytes."),
        .init(.stdinType, "proc.stdin.type", .charbuf, "fd.type of descriptor 0 of the process."),
        .init(.stdoutType, "proc.stdout.type", .charbuf, "fd.type of descriptor 1 of the process."),
        .init(.stderrType, "proc.stderr.type", .charbuf, "fd.type of descriptor 2 of the process."),
        .init(.stdinName, "proc.stdin.name", .charbuf, "fd.name of descriptor 0 of the process."),
        .init(.stdoutName, "proc.stdout.name", .charbuf, "fd.name of descriptor 1 of the process."),
        .init(.stderrName, "proc.stderr.name", .charbuf, "fd.name of descriptor 2 of the process."),
    ]
}

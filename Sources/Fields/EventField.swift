// SPDX-License-Identifier: Apache-2.0
import EventModel

/// The event itself: number, time, type, parameters, result (`evt.*`, `syscall.type`).
public enum EventField: UInt16, FieldFamily {
    // every source
    case num, time, timeSeconds, timeISO8601, dateTime, dateTimeSeconds, rawTime, rawTimeSeconds, rawTimeNanoseconds
    case relativeTime, relativeTimeSeconds, relativeTimeNanoseconds
    case pluginName, pluginInfo, source, isAsync, asyncType, hostname
    // system calls
    case latency, latencySeconds, latencyNanoseconds, latencyQuantized, latencyHuman
    case deltaTime, deltaTimeSeconds, deltaTimeNanoseconds, outputTime
    case direction, type, typeIs, syscallType, category, cpu
    case arguments, argument, rawArgument, info, buffer, bufferLength, result, rawResult, failed
    case isIO, isIORead, isIOWrite, ioDirection, isWait, waitLatency, isSyslog
    case count, countError, countErrorFile, countErrorNet, countErrorMemory, countErrorOther, countExit, countProcinfo,
        countThreadinfo
    case around, absolutePath
    case bufferLengthIn, bufferLengthOut, bufferLengthFile, bufferLengthFileIn, bufferLengthFileOut
    case bufferLengthNet, bufferLengthNetIn, bufferLengthNetOut
    case isOpenRead, isOpenWrite, infraName, infraContainerID, infraContainerName, infraContainerImage, isOpenExec, isOpenCreate

    public static let number = FieldFamilies.event
    public static let classes = [
        FieldClassRows<EventField>("evt", short: "All event types", "Fields that events of every source have.", rows: commonRows),
        FieldClassRows<EventField>(
            "evt", short: "Syscall events only",
            "Fields of system call events; a single parameter is evt.arg.<name>, as in evt.arg.filename.", rows: syscallRows),
    ]

    private static let commonRows: [FieldRow<EventField>] = [
        .init(.num, "evt.num", .uint64, .id, "Number of the event, counted from 1."),
        .init(.time, "evt.time", .charbuf, "Local time of the event, with nanoseconds."),
        .init(.timeSeconds, "evt.time.s", .charbuf, "Local time of the event, to the second."),
        .init(
            .timeISO8601, "evt.time.iso8601", .charbuf,
            "Date and time of the event in UTC, as ISO 8601 writes it, with nanoseconds."),
        .init(.dateTime, "evt.datetime", .charbuf, "Local date and time of the event, with nanoseconds."),
        .init(.dateTimeSeconds, "evt.datetime.s", .charbuf, "Local date and time of the event, to the second."),
        .init(.rawTime, "evt.rawtime", .abstime, .dec, "Nanoseconds since the epoch."),
        .init(.rawTimeSeconds, "evt.rawtime.s", .abstime, .dec, "Whole seconds since the epoch."),
        .init(.rawTimeNanoseconds, "evt.rawtime.ns", .abstime, .paddedDec, "Nanoseconds past the whole second of evt.rawtime."),
        .init(.relativeTime, "evt.reltime", .reltime, .paddedDec, "Nanoseconds since the first event."),
        .init(.relativeTimeSeconds, "evt.reltime.s", .reltime, .dec, "Whole seconds since the first event."),
        .init(
            .relativeTimeNanoseconds, "evt.reltime.ns", .reltime, .paddedDec, "Nanoseconds of evt.reltime past the second."),
        .init(.pluginName, "evt.pluginname", .charbuf, "Name of the plugin that made the event."),
        .init(.pluginInfo, "evt.plugininfo", .charbuf, "The event in the words of the plugin that made it."),
        .init(.source, "evt.source", .charbuf, "Name of the event's source."),
        .init(.isAsync, "evt.is_async", .bool, "True for events that arrive from outside the stream of the source."),
        .init(.asyncType, "evt.asynctype", .charbuf, "Kind of an asynchronous event, such as container."),
        .init(.hostname, "evt.hostname", .charbuf, "Name of the machine, or what FALCO_HOSTNAME says."),
    ]

    private static let syscallRows: [FieldRow<EventField>] = [
        .init(.latency, "evt.latency", .reltime, .dec, .deprecated, "Always 0: calls are reported once, at their end."),
        .init(.latencySeconds, "evt.latency.s", .reltime, .dec, .deprecated, "Whole seconds of evt.latency."),
        .init(
            .latencyNanoseconds, "evt.latency.ns", .reltime, .paddedDec, .deprecated,
            "Nanoseconds of evt.latency past the second."),
        .init(
            .latencyQuantized, "evt.latency.quantized", .uint64, .dec, [.hidden, .deprecated],
            "Step of evt.latency on a logarithmic scale."),
        .init(.latencyHuman, "evt.latency.human", .charbuf, .na, .deprecated, "evt.latency with a unit."),
        .init(.deltaTime, "evt.deltatime", .reltime, .dec, "Nanoseconds since the event before."),
        .init(.deltaTimeSeconds, "evt.deltatime.s", .reltime, .dec, "Whole seconds since the event before."),
        .init(.deltaTimeNanoseconds, "evt.deltatime.ns", .reltime, .paddedDec, "Nanoseconds of evt.deltatime past the second."),
        .init(.outputTime, "evt.outputtime", .charbuf, .na, .printOnly, "The time as outputs begin with it."),
        .init(.direction, "evt.dir", .charbuf, .dir, .deprecated, "'<' for the end of a call, '>' for events without one."),
        .init(.type, "evt.type", .charbuf, "Name of the event, for most the system call."),
        .init(
            .typeIs, "evt.type.is", .uint32, .na, [.argumentRequired, .argumentKey, .argumentAfterDot],
            "1 if the event has the type named behind the dot, as in evt.type.is.open, else 0."),
        .init(.syscallType, "syscall.type", .charbuf, "Name of the system call; absent for other events."),
        .init(.category, "evt.category", .charbuf, "What the event is about: file, net, IPC, memory, process and so on."),
        .init(.cpu, "evt.cpu", .int16, .id, "Processor that the event happened on."),
        .init(.arguments, "evt.args", .charbuf, "All parameters as name=value words, with what a value means in brackets."),
        .init(
            .argument, "evt.arg", .charbuf, .na, [.argumentRequired, .argumentIndex, .argumentKey, .argumentAfterDot],
            "One parameter in words, by name (evt.arg.fd) or by place (evt.arg[0])."),
        .init(
            .rawArgument, "evt.rawarg", .dyn, .na,
            [.argumentRequired, .argumentKey, .argumentAfterDot, .noRightSide, .noTransformer],
            "One parameter as it is, by name, as in evt.rawarg.fd."),
        .init(.info, "evt.info", .charbuf, "The same as evt.args."),
        .init(.buffer, "evt.buffer", .bytebuf, "Data that the event read or wrote, as much of it as was captured."),
        .init(.bufferLength, "evt.buflen", .uint64, .dec, "How many bytes the event read or wrote."),
        .init(.result, "evt.res", .charbuf, .dec, "SUCCESS, or the name of the error that the call returned."),
        .init(.rawResult, "evt.rawres", .int64, .dec, "What the call returned, as a number."),
        .init(.failed, "evt.failed", .bool, "True if the call returned an error."),
        .init(.isIO, "evt.is_io", .bool, "True for events that read from or write to a descriptor."),
        .init(.isIORead, "evt.is_io_read", .bool, "True for events that read from a descriptor."),
        .init(.isIOWrite, "evt.is_io_write", .bool, "True for events that write to a descriptor."),
        .init(.ioDirection, "evt.io_dir", .charbuf, "'read' or 'write' for events that move data through a descriptor."),
        .init(.isWait, "evt.is_wait", .bool, "True for events in which the thread may wait, such as poll or nanosleep."),
        .init(.waitLatency, "evt.wait_latency", .reltime, .dec, .deprecated, "Always 0 for events in which the thread waited."),
        .init(.isSyslog, "evt.is_syslog", .bool, "True for writes to /dev/log."),
        .init(.count, "evt.count", .uint32, .dec, "Always 1."),
        .init(.countError, "evt.count.error", .uint32, .dec, "1 for calls that returned an error."),
        .init(.countErrorFile, "evt.count.error.file", .uint32, .dec, "1 for calls on files that returned an error."),
        .init(.countErrorNet, "evt.count.error.net", .uint32, .dec, "1 for calls on sockets that returned an error."),
        .init(.countErrorMemory, "evt.count.error.memory", .uint32, .dec, "1 for calls on memory that returned an error."),
        .init(.countErrorOther, "evt.count.error.other", .uint32, .dec, "1 for calls on anything else that returned an error."),
        .init(.countExit, "evt.count.exit", .uint32, .dec, "1 for events at the end of a call."),
        .init(.countProcinfo, "evt.count.procinfo", .uint32, .dec, .hidden, "1 for statistics events of main threads."),
        .init(.countThreadinfo, "evt.count.threadinfo", .uint32, .dec, .hidden, "1 for statistics events of any thread."),
        .init(
            .around, "evt.around", .uint64, .dec,
            [.argumentRequired, .argumentIndex, .filterOnly, .noRightSide, .noTransformer, .distance],
            "evt.around[T]=D holds for events at most D milliseconds away from the time T (as in evt.rawtime)."),
        .init(
            .absolutePath, "evt.abspath", .charbuf, .na, [.argumentRequired, .argumentKey, .argumentAfterDot],
            "Absolute path of a call that names a directory descriptor and a path; .src and .dst where it has two."),
        .init(.bufferLengthIn, "evt.buflen.in", .uint64, .dec, .hidden, "evt.buflen of reads."),
        .init(.bufferLengthOut, "evt.buflen.out", .uint64, .dec, .hidden, "evt.buflen of writes."),
        .init(.bufferLengthFile, "evt.buflen.file", .uint64, .dec, .hidden, "evt.buflen of files."),
        .init(.bufferLengthFileIn, "evt.buflen.file.in", .uint64, .dec, .hidden, "evt.buflen of reads from files."),
        .init(.bufferLengthFileOut, "evt.buflen.file.out", .uint64, .dec, .hidden, "evt.buflen of writes to files."),
        .init(.bufferLengthNet, "evt.buflen.net", .uint64, .dec, .hidden, "evt.buflen of sockets."),
        .init(.bufferLengthNetIn, "evt.buflen.net.in", .uint64, .dec, .hidden, "evt.buflen of reads from sockets."),
        .init(.bufferLengthNetOut, "evt.buflen.net.out", .uint64, .dec, .hidden, "evt.buflen of writes to sockets."),
        .init(.isOpenRead, "evt.is_open_read", .bool, "True if the event opened a file for reading."),
        .init(.isOpenWrite, "evt.is_open_write", .bool, "True if the event opened a file for writing."),
        .init(
            .infraName, "evt.infra.docker.name", .charbuf, .na, .hidden,
            "Name of an event of the container runtime, in old captures."),
        .init(.infraContainerID, "evt.infra.docker.container.id", .charbuf, .na, .hidden, "Container of such an event."),
        .init(.infraContainerName, "evt.infra.docker.container.name", .charbuf, .na, .hidden, "Name of that container."),
        .init(.infraContainerImage, "evt.infra.docker.container.image", .charbuf, .na, .hidden, "Image of that container."),
        .init(.isOpenExec, "evt.is_open_exec", .bool, "True if the event created a file that may be executed."),
        .init(.isOpenCreate, "evt.is_open_create", .bool, "True if the event created a file by opening it."),
    ]
}

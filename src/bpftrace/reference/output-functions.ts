import { define, type Entry } from './entry.js';

const fn = define('function');

/** Functions that print, act on the run or act on the machine. */
export const OUTPUT_FUNCTIONS: readonly Entry[] = [
  fn(
    'printf',
    'printf("format", args...)',
    'Prints formatted text; no newline is added. %s takes strings, symbols and since 0.22 enums, %r a buf(). Formatted later in user space.',
    'BEGIN { printf("%s %d\\n", comm, pid); }',
  ),
  fn(
    'print',
    'print(value)',
    'Prints a value and a newline, the way its type is usually shown; structs and tuples too. For maps see the map function print.',
    'BEGIN { print((pid, comm)); }',
  ),
  fn(
    'errorf',
    'errorf("format", args...)',
    'Prints like printf, on stderr, as an error that names the line of the program.',
    'BEGIN { errorf("unexpected state %d", 7); }',
    { since: '0.24' },
  ),
  fn(
    'warnf',
    'warnf("format", args...)',
    'Prints like printf, on stderr, as a warning that names the line of the program; --no-warnings silences it.',
    'BEGIN { warnf("unexpected state %d", 7); }',
    { since: '0.25' },
  ),
  fn(
    'debugf',
    'debugf("format", args...)',
    "Writes to the kernel's trace_pipe, not to the output of this run; 3 arguments at most. For debugging bpftrace itself.",
    'BEGIN { debugf("here %d", 1); }',
  ),
  fn(
    'time',
    'time(["format"])',
    'Prints the wall-clock time at which user space handles the event (strftime format, "%H:%M:%S\\n" if none). The event may be older.',
    'interval:s:1 { time("%H:%M:%S\\n"); }',
  ),
  fn(
    'join',
    'join(strings [, "separator"])',
    'Prints the strings of a NULL-ended char *[] such as argv, with a space between. The first 16 only; it has no value to store.',
    'tracepoint:syscalls:sys_enter_execve { join(args->argv); }',
  ),
  fn(
    'cat',
    'cat("path format", args...)',
    'Prints a file, its first 10 KB, read by user space later: /proc files of short-lived processes are gone by then.',
    'tracepoint:syscalls:sys_enter_execve { cat("/proc/%d/cmdline", pid); }',
  ),
  fn(
    'system',
    'system("command format", args...)',
    "Runs a shell command with bpftrace's rights and prints its output; event handling waits for it.",
    'interval:s:60 { system("uptime"); }',
    { unsafe: true },
  ),
  fn(
    'exit',
    'exit([code])',
    'Leaves the probe and ends the run: END fires, maps are printed. An exit code since 0.21; not allowed in loops since 0.25.',
    'interval:s:5 { exit(); }',
  ),
  fn(
    'assert',
    'assert(condition, "message")',
    'Ends the run with an error and exit code 1 when the condition is false, checked each time it is reached.',
    'BEGIN { assert(pid != 0, "no process"); }',
    { since: '0.24' },
  ),
  fn(
    'static_assert',
    'static_assert(condition, "message")',
    'Compile error unless the condition, known at compile time, holds.',
    'BEGIN { static_assert(sizeof(uint64) == 8, "odd integers"); }',
    { since: '0.25' },
  ),
  fn(
    'fail',
    'fail("format", literals...)',
    'Compile error with a message if the branch it stands in is compiled; guard it by if comptime (...).',
    'BEGIN { if comptime (sizeof(uint64) != 8) { fail("odd integers"); } }',
    { since: '0.25' },
  ),
  fn(
    'getopt',
    'getopt("name" [, default [, "description"]])',
    'A named option of the command line (-- --name=value), typed as its default; boolean without one. Description since 0.25.',
    'BEGIN { print(getopt("limit", 10)); }',
    { since: '0.24' },
  ),
  fn(
    'signal',
    'signal("name") or signal(number)',
    'Sends a signal to the traced process at once, to whichever of its threads.',
    'tracepoint:syscalls:sys_enter_unlinkat /comm == "runaway"/ { signal("SIGSTOP"); }',
    { unsafe: true },
  ),
  fn(
    'signal_thread',
    'signal_thread("name") or signal_thread(number)',
    'Sends a signal to the traced thread at once.',
    'tracepoint:syscalls:sys_enter_unlinkat /comm == "runaway"/ { signal_thread("SIGSTOP"); }',
    { since: '0.25', unsafe: true },
  ),
  fn(
    'override',
    'override(value)',
    'Makes the probed kernel function return value without running: fault injection. kprobe only, on functions the kernel allows it for.',
    'kprobe:__x64_sys_getuid /comm == "id"/ { override(0); }',
    { unsafe: true },
  ),
  fn(
    'write_user',
    'write_user(destination, source, length)',
    'Overwrites memory of the traced process. Said to tell success, but has no usable value in 0.27.1.',
    'tracepoint:syscalls:sys_enter_openat /comm == "myapp"/ { $path = "/tmp/x"; write_user(args.filename, $path, 7); }',
    { since: '0.26', unsafe: true },
  ),
  fn(
    'skboutput',
    'skboutput("file.pcap", skb, length, offset)',
    'Appends a packet to a pcap file without its link header (offset 14 skips Ethernet); fentry/fexit (kfunc), rawtracepoint since 0.24.',
    'kfunc:__dev_queue_xmit { $error = skboutput("out.pcap", args->skb, args->skb->len, 14); }',
  ),
  fn(
    'unwatch',
    'unwatch(address)',
    'Removes the watchpoint on an address. Left over since asyncwatchpoint went in 0.25: it makes 0.27.1 crash.',
    'watchpoint:0x10000000:8:w { unwatch(0x10000000); }',
    { until: '0.25' },
  ),
];

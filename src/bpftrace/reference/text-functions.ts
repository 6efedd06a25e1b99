import { define, type Entry } from './entry.js';

const fn = define('function');

/** Functions that give text, or a value that is shown as text. */
export const TEXT_FUNCTIONS: readonly Entry[] = [
  fn(
    'str',
    'str(pointer [, length])',
    'String at an address, cut at 64 bytes (1024 since 0.23). Empty when user memory is not loaded yet, as at the entry of open().',
    'tracepoint:syscalls:sys_enter_openat { printf("%s\\n", str(args->filename)); }',
  ),
  fn(
    'buf',
    'buf(pointer [, length])',
    'Bytes at an address; print with %r (text and \\x00), %rx (all hex), %rh (spaced hex). The length may be left out for arrays.',
    'tracepoint:syscalls:sys_enter_write { printf("%r\\n", buf(args->buf, 16)); }',
  ),
  fn(
    'strncmp',
    'strncmp(a, b, n)',
    '0 when the first n characters are equal, else not 0: mind the negation. For whole strings use ==.',
    'tracepoint:raw_syscalls:sys_enter /strncmp(comm, "kworker", 7) == 0/ { @ = count(); }',
  ),
  fn(
    'strcontains',
    'strcontains(haystack, needle)',
    'Whether needle occurs in haystack: 1 or 0, a boolean since 0.24. Long strings may be too much for the verifier.',
    'tracepoint:raw_syscalls:sys_enter /strcontains(comm, "sh")/ { @[comm] = count(); }',
  ),
  fn(
    'strstr',
    'strstr(haystack, needle)',
    'Index of the first occurrence of needle, -1 if there is none.',
    'BEGIN { print(strstr(comm, "trace")); }',
    { since: '0.25' },
  ),
  fn(
    'strlen',
    'strlen(string)',
    'Length of a string in bytes, up to its NUL.',
    'tracepoint:syscalls:sys_enter_openat { @ = hist(strlen(str(args.filename))); }',
    { since: '0.25' },
  ),
  fn(
    'strcap',
    'strcap(string)',
    'Room a string has, in bytes: its storage, not its content (strlen).',
    'BEGIN { print(strcap(comm)); }',
    { since: '0.25' },
  ),
  fn(
    'str_concat',
    'str_concat(a, b)',
    'A new string of both, cut at 1024 bytes.',
    'BEGIN { print(str_concat(comm, "!")); }',
    { since: '0.27' },
  ),
  fn(
    'memcmp',
    'memcmp(a, b, bytes)',
    '0 when the first bytes of two values are equal, else the sign of the first difference.',
    'BEGIN { print(memcmp("abc", "abd", 3)); }',
    { since: '0.25' },
  ),
  fn(
    'strerror',
    'strerror(errno)',
    'Text of an error number, which must be positive: strerror(-args->ret). As a map key it makes 0.17 lose all maps at the end; print it.',
    'tracepoint:syscalls:sys_exit_openat /args->ret < 0/ { printf("%s\\n", strerror(-args->ret)); }',
  ),
  fn(
    'signal_name',
    'signal_name(number)',
    'A signal number in words: "Terminated" for 15.',
    'tracepoint:signal:signal_generate { @[signal_name(args.sig)] = count(); }',
    { since: '0.26' },
  ),
  fn(
    'syscall_name',
    'syscall_name(number)',
    'Name of a system call number of this architecture.',
    'tracepoint:raw_syscalls:sys_enter { @[syscall_name(args.id)] = count(); }',
    { since: '0.25' },
  ),
  fn(
    'strftime',
    'strftime("format", nsecs)',
    'A date and time from nsecs (since boot), for printing only. %f gives microseconds.',
    'BEGIN { printf("%s\\n", strftime("%H:%M:%S.%f", nsecs)); }',
  ),
  fn(
    'ksym',
    'ksym(address)',
    'Name of the kernel function that holds an address, looked up when printed.',
    'kprobe:vfs_read { @[ksym(reg("ip"))] = count(); }',
  ),
  fn(
    'usym',
    'usym(address)',
    'Name of the user function that holds an address, looked up when printed: a bare number if the process is gone.',
    'uprobe:libc:malloc { @[usym(reg("ip"))] = count(); }',
  ),
  fn(
    'kstack',
    'kstack([mode,] [frames])',
    'Kernel stack cut to the top frames (127 if not given); mode is bpftrace, perf or, since 0.18, raw.',
    'profile:hz:99 { @[kstack(5)] = count(); }',
  ),
  fn(
    'ustack',
    'ustack([mode,] [frames])',
    'User stack cut to the top frames (127 if not given); mode is bpftrace, perf, since 0.18 raw, since 0.25 build_id.',
    'profile:hz:99 { @[ustack(perf, 5)] = count(); }',
  ),
  fn(
    'dw_ustack',
    'dw_ustack([mode,] [frames])',
    'User stack by DWARF, for code without frame pointers; x86-64 only, and refused unless -p or --dwarf-pid names the processes. Unstable: it warns.',
    'profile:hz:99 { @[dw_ustack(5)] = count(); }',
    { since: '0.26' },
  ),
  fn(
    'path',
    'path(struct path [, size])',
    'Full path of a struct path; only in functions the kernel allows it in and in iter. The size since 0.22.',
    'kfunc:filp_close { printf("%s\\n", path(args->filp->f_path)); }',
  ),
  fn(
    'cgroup_path',
    'cgroup_path(id [, "hierarchy"])',
    'Path of a cgroup id, looked up when printed: in every hierarchy that has the id, or in those whose name matches the second argument.',
    'tracepoint:raw_syscalls:sys_enter { @[cgroup] = count(); } BEGIN { print(cgroup_path(cgroup)); }',
  ),
  fn(
    'ntop',
    'ntop([family,] address)',
    'Text of an IPv4 or IPv6 address: an integer or 4 bytes, or 16 bytes, in network order.',
    'BEGIN { print(ntop(0x0100007f)); }',
  ),
  fn(
    'pton',
    'pton("address")',
    'Bytes of an IPv4 or IPv6 address in network order, worked out at compile time: for comparing with a packet.',
    'BEGIN { print(ntop(pton("127.0.0.1"))); }',
  ),
  fn(
    'macaddr',
    'macaddr(pointer)',
    'Text of the 6 bytes of a hardware address.',
    'tracepoint:net:netif_receive_skb { $skb = (struct sk_buff *)args->skbaddr; print(macaddr($skb->head)); }',
  ),
];

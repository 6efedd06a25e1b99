import { define, type Entry } from './entry.js';

const probe = define('probe_type');

// Examples spell BEGIN and `args->x`, which every release accepts; `begin` and `args.x` came later.
export const PROBE_TYPES: readonly Entry[] = [
  probe(
    'BEGIN',
    'BEGIN',
    'Fires once when the run starts. Only one a program before 0.25; lower-case begin is accepted since 0.24.',
    'BEGIN { printf("tracing\\n"); }',
  ),
  probe(
    'END',
    'END',
    'Fires once after the other probes are detached, before maps are printed. Lower-case end is accepted since 0.24.',
    'END { printf("done\\n"); }',
  ),
  probe(
    'tracepoint',
    'tracepoint:category:event  (t:)',
    'A static event of the kernel, the most stable kind to trace; fields are args->x, or args.x since 0.19.',
    'tracepoint:syscalls:sys_enter_openat { printf("%s %s\\n", comm, str(args->filename)); }',
  ),
  probe(
    'rawtracepoint',
    'rawtracepoint:[module:]event  (rt:)',
    'A kernel tracepoint without argument preparation: cheaper. Raw arguments are arg0...; args and a module since 0.24, which need BTF.',
    'rawtracepoint:sched_switch { @switches[cpu] = count(); }',
    { since: '0.18' },
  ),
  probe(
    'kprobe',
    'kprobe:[module:]function[+offset]  (k:)',
    'Entry of a kernel function, or an offset inside it; arguments are arg0... untyped. Inlined functions never fire; module: since 0.20.',
    'kprobe:vfs_read { @bytes = hist(arg2); }',
  ),
  probe(
    'kretprobe',
    'kretprobe:[module:]function  (kr:)',
    'Return of a kernel function; only retval is there, so save arguments at entry in a map keyed by tid.',
    'kretprobe:vfs_read { @bytes = hist(retval); }',
  ),
  probe(
    'fentry',
    'fentry:[module:]function  (f:)',
    'Entry of a kernel function with typed args from BTF; cheaper than kprobe. Called kfunc before 0.20. fentry:bpf:name (BPF programs) since 0.24.',
    'fentry:vfs_read { @bytes = hist(args.count); }',
    { since: '0.20' },
  ),
  probe(
    'fexit',
    'fexit:[module:]function  (fr:)',
    'Return of a kernel function with both typed args and retval, from BTF. Called kretfunc before 0.20.',
    'fexit:vfs_read { @bytes[args.count] = hist(retval); }',
    { since: '0.20' },
  ),
  probe(
    'kfunc',
    'kfunc:[module:]function  (f:)',
    'The older spelling of fentry, still accepted: entry of a kernel function with typed args from BTF.',
    'kfunc:vfs_read { @bytes = hist(args->count); }',
  ),
  probe(
    'kretfunc',
    'kretfunc:[module:]function  (fr:)',
    'The older spelling of fexit, still accepted: return of a kernel function with typed args and retval.',
    'kretfunc:vfs_read { @bytes = hist(retval); }',
  ),
  probe(
    'uprobe',
    'uprobe:binary:function[+offset]  (u:)',
    'Entry of a user-space function in a file or library name; arguments are arg0.... Add -p or a pid filter: it fires in every process.',
    'uprobe:libc:malloc { @bytes = hist(arg0); }',
  ),
  probe(
    'uretprobe',
    'uretprobe:binary:function  (ur:)',
    'Return of a user-space function, with retval. It rewrites the return address, which crashes Go programs.',
    'uretprobe:libc:malloc /retval == 0/ { @failed = count(); }',
  ),
  probe(
    'usdt',
    'usdt:binary:[provider:]probe  (U:)',
    'A static probe a program or library was built with; arguments are arg0.... Takes a path or a path pattern, not a library name.',
    'usdt:/lib/*/libstdc*.so.6:libstdcxx:throw { @[comm] = count(); }',
  ),
  probe(
    'profile',
    'profile:hz:rate, profile:s|ms|us:count  (p:)',
    'Samples on every CPU at a rate or period; 99 hz avoids lockstep with timers. profile:10ms is accepted since 0.24.',
    'profile:hz:99 { @[kstack] = count(); }',
  ),
  probe(
    'interval',
    'interval:s|ms|us:count, interval:hz:rate  (i:)',
    'Fires on one CPU every period: for printing and for ending a run, not for sampling. interval:1s is accepted since 0.24.',
    'interval:s:5 { exit(); }',
  ),
  probe(
    'software',
    'software:event:count  (s:)',
    "One of the kernel's software counters (faults, context-switches, cpu-clock...), once every count events.",
    'software:faults:100 { @[comm] = count(); }',
  ),
  probe(
    'hardware',
    'hardware:event:count  (h:)',
    'One of the processor counters (cycles, cache-misses, branch-misses...), once every count events. Absent in most virtual machines.',
    'hardware:cache-misses:1000000 { @[comm] = count(); }',
  ),
  probe(
    'iter',
    'iter:object  (it:)',
    'Visits every kernel object of a kind (task, task_file, task_vma...) once, fields in ctx, then ends; cannot be mixed with other probes.',
    'iter:task { printf("%d %s\\n", ctx->task->pid, ctx->task->comm); }',
  ),
  probe(
    'watchpoint',
    'watchpoint:address:length:mode  (w:)',
    'Fires when memory is written (w), read (r) or executed (x). A kernel address unless -p is given; processors have about 4 of them.',
    'watchpoint:0x10000000:8:w { @[kstack] = count(); }',
  ),
  probe(
    'asyncwatchpoint',
    'asyncwatchpoint:function+argN:length:mode  (aw:)',
    'A watchpoint on the address in an argument, set without stopping the program; needs -p or -c. Dropped in 0.25, as is watchpoint:function+argN.',
    'asyncwatchpoint:increment+arg1:4:w { @ = count(); }',
    { until: '0.25' },
  ),
  probe(
    'self',
    'self:signal:name',
    'Fires when bpftrace itself gets a signal (SIGUSR1). Up to 0.21 SIGUSR1 printed all maps without any probe.',
    'self:signal:SIGUSR1 { printf("still here\\n"); }',
    { since: '0.22' },
  ),
  probe(
    'bench',
    'bench:name',
    'A micro benchmark of its body in nanoseconds; only runs under bpftrace --bench, ignored otherwise. BENCH in 0.24.',
    'BENCH:count { @ = count(); }',
    { since: '0.24' },
  ),
  probe(
    'test',
    'test:name',
    'A test of bpftrace code: non-zero return or an error fails it; only runs under bpftrace --test, ignored otherwise.',
    'test:counts { @ = count(); }',
    { since: '0.25' },
  ),
];

import { both, counts, feature, type Group, holds, prints, printsLike, traced } from './feature.js';

/** Where every process calls malloc() from. */
const LIBC = '/usr/lib/x86_64-linux-gnu/libc.so.6';
/** 0.17 stumbles over the ++ of libstdc++. */
const WITH_USDT = '/usr/lib/x86_64-linux-gnu/libstdc*.so.6';
const several = (min: number) => (result: { attached_probes?: number | undefined }) =>
  Number(result.attached_probes) >= min ? undefined : `attached ${result.attached_probes} probes`;

/** What may be traced beside the kernel's functions. */
export const probes: Group = {
  name: 'probes',
  features: [
    traced('tracepoint', 'tracepoint:sched:sched_switch { @[comm] = count(); }', counts(), {
      required: true,
    }),
    traced(
      'tracepoint, by wildcard',
      'tracepoint:sched:sched_wak* { @[probe] = count(); }',
      both(counts(), several(2)),
      {
        required: true,
      },
    ),
    traced(
      'several probes with one action',
      'tracepoint:syscalls:sys_enter_openat, tracepoint:syscalls:sys_exit_openat { @[probe] = count(); }',
      both(counts(), several(2)),
    ),
    traced(
      'tracepoint of a system call with its arguments',
      'tracepoint:syscalls:sys_exit_openat /args->ret >= 0/ { @ = count(); }',
      counts(),
    ),
    traced('rawtracepoint', 'rawtracepoint:sched_switch { @ = count(); }', counts()),
    traced('profile', 'profile:hz:99 { @ = count(); }', counts(), { required: true }),
    traced('interval', 'interval:ms:50 { @ = count(); }', counts(), { required: true }),
    traced('software', 'software:page-faults:1 { @[comm] = count(); }', counts()),
    traced('uprobe', `uprobe:${LIBC}:malloc { @[comm] = count(); }`, counts()),
    traced('uretprobe', `uretprobe:${LIBC}:malloc { @ = count(); }`, counts()),
    traced(
      'uprobe, by wildcard',
      `uprobe:${LIBC}:malloc* { @[probe] = count(); }`,
      both(counts(), several(2)),
    ),
    traced('uprobe by offset', `uprobe:${LIBC}:malloc+0 { @ = count(); }`, counts()),
    traced('usdt', `usdt:${WITH_USDT}:libstdcxx:throw { @ = count(); }`, several(1)),
    feature(
      'iter:task',
      'iter:task { printf("%d %s\\n", ctx->task->pid, ctx->task->comm); }',
      printsLike(/^\d+ \S/),
    ),
    feature('iter:task_file', 'iter:task_file { printf("%d\\n", ctx->fd); }', printsLike(/^\d+$/)),
    traced(
      'self:signal:SIGUSR1',
      'self:signal:SIGUSR1 { @ = count(); } interval:ms:50 { @n = count(); }',
      holds('@n', /[1-9]/),
    ),
    feature(
      'a missing probe beside one that exists',
      'tracepoint:sched:sched_switch { @ = count(); } kprobe:no_such_function { @k = count(); } interval:ms:200 { exit(); }',
      counts(),
    ),
    feature('elapsed', 'interval:ms:50 { printf("%d\\n", elapsed > 0); exit(); }', prints('1')),
  ],
};

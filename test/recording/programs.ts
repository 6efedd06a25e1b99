import type { BpftraceVersion } from '../../src/bpftrace/version.js';
import { atLeast } from '../../src/bpftrace/version.js';

/** One program, and how it is used. */
export interface Recorded {
  name: string;
  program: string;
  timeout?: number;
  max_lines?: number;
  /** It is stopped when it has printed so many lines. */
  stopAtLine?: number;
  /** So many snapshots are asked for, one after the other, before its end. */
  snapshots?: number;
  /** bpftrace is killed when it has printed a line. */
  kill?: true;
}

const SAY = 'BEGIN { printf("%s\\n", "here"); }';

/** Every kind of output and of end that can be had from the real bpftrace of this kernel. */
export function recordedPrograms(version: BpftraceVersion): Recorded[] {
  const isNewer = atLeast(version, '0.22');
  const programs: Recorded[] = [
    { name: 'lines and exit()', program: 'BEGIN { printf("one\\ntwo\\n"); exit(); }' },
    {
      name: 'text that no newline ends',
      program: 'BEGIN { printf("a "); printf("b"); time("%Y\\n"); printf("end"); exit(); }',
    },
    {
      name: 'beyond ASCII, escapes',
      program: 'BEGIN { printf("Grüße %s\\t\\"quoted\\" \\\\ ✓\\n", "日本"); exit(); }',
    },
    { name: 'a map at the deadline', program: 'interval:ms:20 { @n = count(); }', timeout: 0.4 },
    { name: 'nothing at all', program: 'tracepoint:sched:sched_process_hang { @ = count(); }', timeout: 0.3 },
    {
      name: 'hist, lhist, stats, avg',
      program:
        'interval:ms:5 { @h = hist(nsecs % 5000); @l = lhist(nsecs % 100, 0, 100, 10); @s = stats(nsecs % 77); @a = avg(nsecs % 9); }',
      timeout: 0.4,
    },
    {
      name: 'keys of several parts',
      program: 'tracepoint:syscalls:sys_enter_read { @[comm, pid % 4, probe] = count(); }',
      timeout: 0.5,
    },
    {
      name: 'stacks',
      program: 'tracepoint:sched:sched_switch { @[kstack(5)] = count(); @u[comm] = sum(pid); }',
      timeout: 0.5,
    },
    {
      name: 'a map that is printed again and again',
      program: 'interval:ms:50 { @x[nsecs % 3] = count(); print(@x); clear(@x); }',
      timeout: 0.5,
    },
    { name: 'what END prints', program: `${SAY} END { printf("at the end\\n"); }`, timeout: 0.3 },
    {
      name: 'a flood of lines, the newest kept',
      program: 'tracepoint:syscalls:sys_enter_read /pid > 0/ { printf("%s %d %d\\n", comm, pid, nsecs); }',
      timeout: 0.6,
      max_lines: 7,
    },
    {
      name: 'many lines a tick, lost events',
      program: `interval:us:100 { ${'printf("%d: a line that is long enough to fill a small buffer soon\\n", nsecs); '.repeat(8)} }`,
      timeout: 0.8,
    },
    { name: 'a file', program: 'BEGIN { cat("/proc/version"); exit(); }' },
    { name: 'join()', program: 'tracepoint:syscalls:sys_enter_execve { join(args->argv); }', timeout: 0.4 },
    { name: 'a syntax error', program: 'BEGIN { printf("x" }' },
    { name: 'an unsafe function', program: 'BEGIN { system("id"); }' },
    { name: 'an unknown function', program: 'BEGIN { nosuch(1); }' },
    {
      name: 'an unknown field',
      program: 'tracepoint:syscalls:sys_enter_openat { printf("%d", args->pathname); }',
    },
    { name: 'a wrong type', program: 'BEGIN { @x = 1; @x = "text"; }' },
    { name: 'an unknown tracepoint', program: 'tracepoint:sched:sched_swich { @ = count(); }' },
    { name: 'no kprobes', program: 'kprobe:vfs_read { @ = count(); }' },
    { name: 'an empty probe name', program: 'nosuchtype:x { @ = count(); }' },
    {
      name: 'stopped',
      program: 'interval:ms:20 { printf("tick %d\\n", nsecs); @ticks = count(); }',
      timeout: 30,
      stopAtLine: 3,
    },
    {
      name: 'snapshots',
      program: 'interval:ms:20 { @n = count(); @by[comm] = count(); }',
      timeout: 1.5,
      snapshots: 2,
    },
    {
      name: 'snapshots of a program that prints its maps',
      program: 'interval:ms:20 { @n = count(); } interval:ms:90 { print(@n); printf("printed\\n"); }',
      timeout: 1.5,
      snapshots: 1,
    },
    {
      name: 'killed by somebody',
      program: 'interval:ms:20 { printf("alive\\n"); @n = count(); }',
      timeout: 30,
      kill: true,
    },
  ];
  const newer: Recorded[] = [
    { name: 'an exit code of its own', program: 'BEGIN { printf("x\\n"); exit(3); }' },
    {
      name: 'a config',
      program: 'config = { max_strlen = 16 } BEGIN { printf("%s\\n", "a text that is longer"); exit(); }',
    },
  ];
  return isNewer ? [...programs, ...newer] : programs;
}

import type { Broken } from './broken.js';

export const FIELDS: readonly Broken[] = [
  {
    program: 'BEGIN { $x = ((struct task_struct *)curtask)->▸pidd; }',
    code: 'unknown_field',
    hint: 'did you mean pid',
  },
  {
    program: 'BEGIN { $t = (struct task_struct *)curtask; print($t->▸commm); }',
    code: 'unknown_field',
    hint: 'did you mean comm',
  },
  {
    program: 'tracepoint:syscalls:sys_enter_openat { print(args->▸filenam); }',
    code: 'unknown_field',
    hint: 'did you mean filename',
  },
  {
    program: 'tracepoint:syscalls:sys_enter_openat { print(str(args->▸pathname)); }',
    code: 'unknown_field',
    hint: 'did you mean filename',
  },
  {
    program: 'tracepoint:sched:sched_switch { @[args->▸pid] = count(); }',
    code: 'unknown_field',
    hint: 'did you mean prev_pid',
  },
  {
    program: 'tracepoint:syscalls:sys_exit_read { @ = hist(args->▸retval); }',
    code: 'unknown_field',
    hint: 'did you mean ret',
  },
  {
    program: 'tracepoint:syscalls:sys_enter_read { @ = sum(args->▸ret); }',
    code: 'unknown_field',
    hint: 'ret is of tracepoint:syscalls:sys_exit_read',
  },
  {
    program: 'BEGIN { $x = offsetof(struct task_struct, ▸nosuch); }',
    code: 'unknown_field',
    hint: 'struct task_struct has thread_info, saved_state, stack, usage,',
    but: { '0.17': { code: 'version', at: '1:14', hint: 'offsetof came with bpftrace 0.18' } },
  },
  {
    program: 'tracepoint:syscalls:sys_enter_read { @ = ▸args->common_pid; }',
    code: 'unknown_field',
    hint: 'use the builtins instead: pid, tid, comm, cpu, nsecs',
  },
  {
    program: 'tracepoint:tcp:tcp_retransmit_skb { @[ntop(args->daddr)] = count(); @b = args->▸dstport; }',
    code: 'unknown_field',
    hint: 'did you mean sport',
  },
  {
    program: 'tracepoint:block:block_rq_issue { @ = hist(args->▸byte); }',
    code: 'unknown_field',
    hint: 'did you mean bytes',
  },
  {
    program: 'tracepoint:net:netif_receive_skb { @[args->▸skbaddrs] = count(); }',
    code: 'unknown_field',
    hint: 'did you mean skbaddr',
  },
  {
    program: 'tracepoint:syscalls:sys_enter_write { @[comm] = hist(args->▸size); }',
    code: 'unknown_field',
    hint: 'did you mean count',
  },
  {
    program: 'tracepoint:syscalls:sys_exit_openat { @[args->▸filename] = count(); }',
    code: 'unknown_field',
    hint: 'filename is known at the entry only: keep it there, @arg[tid] =',
  },
  {
    program: 'tracepoint:sched:sched_process_exec { @[str(args->▸filenam)] = count(); }',
    code: 'unknown_field',
    hint: 'did you mean filename',
  },
  {
    program: 'BEGIN { @ = curtask->▸nosuch; }',
    code: 'unknown_field',
    hint: 'struct task_struct has thread_info, saved_state, stack, usage,',
  },
  {
    program: 'BEGIN { @ = ((struct task_struct *)curtask)->mm->▸nosuchfield; }',
    code: 'unknown_field',
    hint: 'struct mm_struct has mm_count, 64, 64, 64, 64, 64, 64, 64,',
  },
  {
    program: 'tracepoint:syscalls:sys_enter_open* { print(str(args->▸filename)); @=args->nosuch; }',
    code: 'unknown_field',
    hint: 'tracepoint:syscalls:sys_enter_open_by_handle_at has mountdirfd,',
    but: { '0.27': { at: '1:75', hint: 'tracepoint:syscalls:sys_enter_open has filename, flags, mode' } },
  },
];

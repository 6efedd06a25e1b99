import type { Broken } from './broken.js';

export const PROBES: readonly Broken[] = [
  {
    program: '▸begin { exit() }',
    code: 'unknown_probe_type',
    hint: 'did you mean BEGIN',
    but: { '0.27': 'fine' },
  },
  {
    program: 'BEGIN { $x = kaddr("▸nosuchsymbol_xyz"); }',
    code: 'missing_symbol',
    hint: 'kaddr() knows the names in /proc/kallsyms',
    but: { '0.27': { at: '1:14' } },
  },
  {
    program: 'uprobe:/bin/bash:readline { $x = ▸uaddr("nosuchsym"); }',
    code: 'missing_symbol',
    hint: 'uaddr() knows the symbols of the binary that its own probe is in',
  },
  {
    program: 'BEGIN { $x = cgroupid("▸/nosuch/path"); }',
    code: 'missing_file',
    hint: 'give the path of a cgroup below /sys/fs/cgroup',
  },
  {
    program: '▸kprob:vfs_read { @ = count(); }',
    code: 'unknown_probe_type',
    hint: 'did you mean kprobe? But this kernel has no kprobes; use',
  },
  {
    program: '▸tracepont:sched:sched_switch { @ = count(); }',
    code: 'unknown_probe_type',
    hint: 'did you mean tracepoint:sched:sched_switch',
  },
  {
    program: '▸syscall:read { @ = count(); }',
    code: 'unknown_probe_type',
    hint: 'did you mean tracepoint:syscalls:sys_enter_read',
  },
  {
    program: '▸syscalls:sys_enter_read { @ = count(); }',
    code: 'unknown_probe_type',
    hint: 'did you mean tracepoint:syscalls:sys_enter_read',
  },
  { program: '▸timer:s:1 { exit(); }', code: 'unknown_probe_type', hint: 'did you mean interval:s:1' },
  {
    program: '▸foo { exit(); }',
    code: 'unknown_probe_type',
    hint: 'probe types are BEGIN, END, tracepoint, rawtracepoint, kprobe,',
    but: { '0.17': { hint: 'probe types are BEGIN, END, tracepoint, kprobe, kretprobe,' } },
  },
  { program: '▸START { exit(); }', code: 'unknown_probe_type', hint: 'did you mean BEGIN' },
  {
    program: '▸Tracepoint:sched:sched_switch { @ = count(); }',
    code: 'unknown_probe_type',
    hint: 'did you mean tracepoint:sched:sched_switch',
    but: { '0.27': 'fine' },
  },
  {
    program: '▸tracepoint:sched:sched_swich { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:sched:sched_switch',
  },
  {
    program: '▸tracepoint:syscalls:sys_enter_opn { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:syscalls:sys_enter_open',
  },
  {
    program: '▸tracepoint:syscals:sys_enter_open { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:syscalls:sys_enter_open',
  },
  {
    program: '▸tracepoint:syscalls:open { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:syscalls:sys_enter_openat',
  },
  {
    program: '▸tracepoint:syscalls:sys_enter_fork_nope* { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:syscalls:sys_enter_fork',
  },
  {
    program: '▸tracepoint:sched { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is tracepoint:category:event  (t:)',
  },
  {
    program: '▸tracepoint:sched:sched_switch:foo { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is tracepoint:category:event  (t:)',
  },
  {
    program: '▸interval:s { exit(); }',
    code: 'probe_syntax',
    hint: 'the form is interval:s:1 or interval:ms:100; the number is',
  },
  {
    program: '▸interval:1s { exit(); }',
    code: 'probe_syntax',
    hint: 'did you mean interval:s:1',
    but: { '0.27': 'fine' },
  },
  { program: '▸interval:sec:1 { exit(); }', code: 'probe_syntax', hint: 'did you mean interval:s:1' },
  {
    program: '▸interval:s:0 { exit(); }',
    code: 'probe_syntax',
    hint: 'the form is interval:s:1 or interval:ms:100; the number is',
    but: { '0.17': { code: 'attach', hint: 'its rate is too high or 0: profile:hz:99 is a usual one' } },
  },
  {
    program: '▸interval:s:abc { exit(); }',
    code: 'probe_syntax',
    hint: 'the form is interval:s:1 or interval:ms:100; the number is',
  },
  { program: '▸profile:hertz:99 { @ = count(); }', code: 'probe_syntax', hint: 'did you mean profile:hz:99' },
  { program: '▸profile:99 { @ = count(); }', code: 'probe_syntax', hint: 'did you mean profile:hz:99' },
  {
    program: '▸profile:hz { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is profile:hz:99 or profile:ms:10; the number is whole',
  },
  { program: '▸BEGIN:foo { exit(); }', code: 'probe_syntax', hint: 'the form is BEGIN' },
  {
    program: 'BEGIN { @a = 1; } ▸BEGIN { exit(); }',
    code: 'probe_syntax',
    hint: 'put both into one block',
    but: { '0.27': 'fine' },
  },
  {
    program: 'END { @a = 1; } ▸END { exit(); }',
    code: 'probe_syntax',
    hint: 'put both into one block',
    but: { '0.27': 'fine' },
  },
  {
    program: 'BEGIN { exit(); }\ninterval:s:1 { }\n▸tracepoint:nosuch:nosuch { @ = count(); }',
    code: 'unknown_probe',
    hint: 'there is none of that name: list_probes finds those that there',
  },
  {
    program: 'interval:s:1,\n▸tracepoint:nosuch:nosuch { @ = count(); }',
    code: 'unknown_probe',
    hint: 'there is none of that name: list_probes finds those that there',
    but: { '0.17': 'fine', '0.23': 'fine' },
  },
  {
    program: '▸software:faultz:1 { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean software:faults:',
  },
  {
    program: '▸hardware:nosuch:1000 { @ = count(); }',
    code: 'unknown_probe',
    hint: 'events are cpu-cycles, instructions',
  },
  {
    program: '▸software:faults:abc { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is software:event:count  (s:)',
  },
  {
    program: '▸uprobe:/bin/nosuch:main { @ = count(); }',
    code: 'missing_file',
    hint: 'give the absolute path of an executable or library, as this',
  },
  {
    program: '▸uprobe:/bin/bash:readlin { @ = count(); }',
    code: 'missing_symbol',
    hint: 'did you mean uprobe:/bin/bash:readline',
  },
  {
    program: '▸uprobe:/bin/bash { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is uprobe:binary:function[+offset]  (u:)',
  },
  {
    program: '▸uprobe:bash:nosuchsymbol { @ = count(); }',
    code: 'missing_symbol',
    hint: 'list_probes "uprobe:bash:*" lists its functions',
    but: { '0.23': { at: '1:13' } },
  },
  {
    program: '▸uretprobe:/bin/bash:readline+4 { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is uretprobe:binary:function  (ur:)',
  },
  {
    program: '▸uprobe:/etc/passwd:main { @ = count(); }',
    code: 'missing_file',
    hint: 'give the absolute path of an executable or library, as this',
  },
  {
    program: '▸uprobe:/bin/bash:nosuch* { @ = count(); }',
    code: 'unknown_probe',
    hint: 'list_probes "uprobe:/bin/bash:*" lists those that there are',
  },
  {
    program: '▸usdt:/bin/bash:nosuch { @ = count(); }',
    code: 'unknown_probe',
    hint: 'list_probes "usdt:/bin/bash:*" lists those that there are',
  },
  {
    program: '▸usdt:/nosuch/file:probe { @ = count(); }',
    code: 'missing_file',
    hint: 'give the absolute path of an executable or library, as this',
  },
  {
    program: '▸watchpoint:0x0:8:w { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is watchpoint:address:length:mode  (w:)',
  },
  {
    program: '▸watchpoint:0x10000000:3:w { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is watchpoint:address:length:mode  (w:)',
  },
  {
    program: '▸watchpoint:0x10000000:8:q { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is watchpoint:address:length:mode  (w:)',
  },
  {
    program: '▸rawtracepoint:nosuch { @ = count(); }',
    code: 'unknown_probe',
    hint: 'there is none of that name: list_probes finds those that there',
    but: { '0.17': { code: 'version', hint: 'rawtracepoint came with bpftrace 0.18' } },
  },
  {
    program: '▸uprobe:/bin/bash:readline { @ = retval; }',
    code: 'no_debuginfo',
    hint: 'without debug information there are no args here: use arg0,',
    but: {
      '0.27': { code: 'wrong_probe', at: '1:33', hint: 'the result is known when the function returns:' },
    },
  },
  {
    program: '▸* { @ = count(); }',
    code: 'probe_syntax',
    hint: 'name one kind of probe, such as tracepoint:syscalls:*',
  },
  {
    program: '▸t { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is tracepoint:category:event  (t:)',
  },
  {
    program: '▸uprobe:/bin/bash:readline+1 { @ = count(); }',
    code: 'attach',
    hint: 'an offset must be where an instruction begins: leave it out',
  },
  {
    program: '▸begin { exit(); }',
    code: 'unknown_probe_type',
    hint: 'did you mean BEGIN',
    but: { '0.27': 'fine' },
  },
  {
    program: '▸tracepoint:sched:sched_proces_exec { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:sched:sched_process_exec',
  },
  {
    program: '▸tracepoint:sched:process_exec { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:sched:sched_process_exec',
  },
  {
    program: '▸tracepoint:kmem:page_alloc { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:kmem:mm_page_alloc',
  },
  {
    program: '▸tracepoint:tcp:retransmit { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:tcp:tcp_retransmit_skb',
  },
  {
    program: '▸tracepoint:block:rq_issue { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:block:block_rq_issue',
  },
  {
    program: '▸tracepoint:raw_syscalls:sys_entr { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:raw_syscalls:sys_enter',
  },
  {
    program: '▸tracepoint:syscalls:sys_enter_send { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:syscalls:sys_enter_',
  },
  {
    program: '▸tracepoint:irq:softirq { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:irq:softirq_entry',
  },
  {
    program: '▸tracepoint:oom:oom_kill { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:oom:mark_victim',
  },
  {
    program: '▸t:syscalls:sys_enter_reed { @ = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:syscalls:sys_enter_read',
  },
  {
    program: '▸profile:hz:0 { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is profile:hz:99 or profile:ms:10; the number is whole',
  },
  {
    program: '▸profile:hz:99999999 { @ = count(); }',
    code: 'attach',
    hint: 'its rate is too high or 0: profile:hz:99 is a usual one',
  },
  {
    program: '▸profile:s:1.5 { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is profile:hz:99 or profile:ms:10; the number is whole',
  },
  {
    program: '▸interval:hz:1:2 { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is interval:s:1 or interval:ms:100; the number is',
  },
  {
    program: '▸interval:: { }',
    code: 'probe_syntax',
    hint: 'the form is interval:s:1 or interval:ms:100; the number is',
  },
  {
    program: '▸tracepoint:: { }',
    code: 'unknown_probe',
    hint: 'did you mean hardware:backend-stalls: or',
    but: { '0.27': { code: 'probe_syntax', hint: 'the form is tracepoint:category:event  (t:)' } },
  },
  {
    program: '▸uprobe::main { }',
    code: 'probe_syntax',
    hint: 'the form is uprobe:binary:function[+offset]  (u:)',
  },
  {
    program: '▸uprobe:/bin/bash: { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is uprobe:binary:function[+offset]  (u:)',
  },
  {
    program: '▸uprobe:libnosuch:foo { @ = count(); }',
    code: 'missing_file',
    hint: 'give the path of the binary or library, such as /usr/bin/bash',
  },
  {
    program: '▸usdt:*:foo { @ = count(); }',
    code: 'unknown_probe',
    hint: 'list_probes "usdt:*:*" lists those that there are',
  },
  {
    program: '▸usdt { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is usdt:binary:[provider:]probe  (U:)',
  },
  {
    program: '▸software:cpu-clock: { @ = count(); exit(); }',
    code: 'probe_syntax',
    hint: 'the form is software:event:count  (s:)',
  },
  {
    program: '▸hardware:cpu-cycles:abc { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is hardware:event:count  (h:)',
  },
  {
    program: '▸asyncwatchpoint:0x10000000:8:w { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is asyncwatchpoint:function+argN:length:mode  (aw:)',
    but: { '0.27': { code: 'unknown_probe_type', hint: 'this bpftrace was built without asyncwatchpoint' } },
  },
  {
    program:
      'tracepoint:sched:sched_switch { @ = count(); } ▸tracepoint:sched:sched_switc { @b = count(); } END { clear(@); }',
    code: 'unknown_probe',
    hint: 'did you mean tracepoint:sched:sched_switch',
  },
  {
    program: '▸watchpoint:nosuchfunc+arg0:8:w { @ = count(); }',
    code: 'probe_syntax',
    hint: 'a watchpoint on a process needs -p, which only the operator can',
    but: { '0.27': { hint: 'the form is watchpoint:address:length:mode  (w:)' } },
  },
  {
    program: '▸self:signal:SIGFOO { print(1); }',
    code: 'unknown_probe',
    hint: 'the signal is SIGUSR1: self:signal:SIGUSR1',
    but: { '0.17': { code: 'version', hint: 'self came with bpftrace 0.22' } },
  },
  {
    program: '▸software:pagefaults:100 { @[comm] = count(); }',
    code: 'unknown_probe',
    hint: 'did you mean software:page-faults:100',
  },
];

import type { Broken } from './broken.js';

export const KERNEL: readonly Broken[] = [
  {
    program: '▸iter:nosuch { @ = count(); }',
    code: 'unsupported_here',
    hint: 'list_probes "iter:*" lists the iterators that there are',
  },
  {
    program: 'kprobe:vfs_read { @ = ▸retval; }',
    code: 'wrong_probe',
    hint: 'the result is known when the function returns, but this kernel',
  },
  {
    program: '▸kprobe:vfs_read { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
  },
  {
    program: '▸kretprobe:vfs_write { @ = hist(retval); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
  },
  {
    program: '▸kprobe:do_sys_openat2 { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
  },
  {
    program: '▸kprobe:tcp_retransmit_skb { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
    but: { '0.23': { hint: 'this kernel has no kprobes; use rawtracepoint:tcp_retransmit_skb' } },
  },
  {
    program: '▸kprobe:nosuch_function_xyz { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; list_probes finds tracepoints by',
  },
  {
    program: '▸kprobe:nosuch_xyz* { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; list_probes finds tracepoints by',
  },
  {
    program: '▸kprobe:tcp_* { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use tracepoint:tcp:tcp_probe',
  },
  {
    program: '▸kprobe { @ = count(); }',
    code: 'probe_syntax',
    hint: 'the form is kprobe:[module:]function[+offset]  (k:)',
  },
  {
    program: '▸kfunc:vfs_read { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no fentry or fexit (kfunc, kretfunc); use',
  },
  {
    program: '▸kretfunc:vfs_read { @ = retval; }',
    code: 'unsupported_here',
    hint: 'this kernel has no fentry or fexit (kfunc, kretfunc); use',
  },
  {
    program: '▸fentry:vfs_read { @ = args.count; }',
    code: 'unsupported_here',
    hint: 'this kernel has no fentry or fexit (kfunc, kretfunc); use',
  },
  {
    program: '▸fexit:vfs_read { @ = retval; }',
    code: 'unsupported_here',
    hint: 'this kernel has no fentry or fexit (kfunc, kretfunc); use',
  },
  {
    program: 'interval:s:1 { @ = count(); }\n▸kprobe:vfs_read { @b = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
  },
  {
    program: 'BEGIN { printf("hi\\n"); }\n\n  ▸kprobe:vfs_open,kprobe:vfs_write { @b = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
    but: { '0.17': 'fine', '0.23': 'fine' },
  },
  {
    program: '▸kprobe:vfs_read+3 { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
  },
  {
    program: '▸kprobe:do_nanosleep { @ = count(); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use',
  },
  {
    program: 'BEGIN { ▸skboutput("a.pcap", 1, 2, 3); }',
    code: 'unsupported_here',
    hint: 'call bpf_info to see what works on this kernel',
    but: { '0.27': { code: 'wrong_probe', hint: 'skboutput is not there in BEGIN probes: list_helpers' } },
  },
  {
    program: 'BEGIN { @ = ▸path(5); }',
    code: 'unsupported_here',
    hint: 'call bpf_info to see what works on this kernel',
    but: {
      '0.27': { code: 'wrong_probe', hint: 'move it into a probe of another kind: it can be used with' },
    },
  },
  {
    program: '▸kprobe:vfs_read:foo:bar { }',
    code: 'probe_syntax',
    hint: 'the form is kprobe:[module:]function[+offset]  (k:)',
  },
  {
    program:
      'BEGIN { @start[0] = 1; }\n▸kprobe:blk_account_io_done /@start[arg0]/ { @us = hist((nsecs - @start[arg0]) / 1000); delete(@start[arg0]); }',
    code: 'unsupported_here',
    hint: 'this kernel has no kprobes; use tracepoint:block:block_io_done',
  },
];

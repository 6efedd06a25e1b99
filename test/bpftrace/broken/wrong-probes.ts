import type { Broken } from './broken.js';

export const WRONG_PROBES: readonly Broken[] = [
  {
    program: 'BEGIN { $x = ▸args; }',
    code: 'wrong_probe',
    hint: 'args is of tracepoint, fentry and uprobe; BEGIN has no arguments',
  },
  {
    program: 'BEGIN { $x = ▸uaddr("main"); }',
    code: 'wrong_probe',
    hint: 'uaddr is not there in BEGIN probes: list_helpers "uaddr" tells',
  },
  {
    program: 'BEGIN { $x = ▸reg("ip"); }',
    code: 'wrong_probe',
    hint: 'reg is not there in BEGIN probes: list_helpers "reg" tells more',
  },
  {
    program: 'BEGIN { $x = ▸cpid; }',
    code: 'wrong_probe',
    hint: 'nothing is started here: take a pid instead',
    but: { '0.27': 'fine' },
  },
  {
    program: 'interval:s:1 { @ = ▸retval; }',
    code: 'wrong_probe',
    hint: 'the result is known when the function returns: kretprobe,',
  },
  {
    program: 'interval:s:1 { @ = ▸arg0; }',
    code: 'wrong_probe',
    hint: 'arg0 is of kprobe, uprobe and usdt; this is interval',
  },
  {
    program: 'interval:s:1 { @ = ▸args->foo; }',
    code: 'wrong_probe',
    hint: 'args is of tracepoint, fentry and uprobe; interval has no',
  },
  {
    program: 'BEGIN { @ = ▸func; }',
    code: 'wrong_probe',
    hint: 'func is not there in BEGIN probes: list_helpers "func" tells',
  },
  {
    program: 'tracepoint:sched:sched_switch { @ = ▸arg0; }',
    code: 'wrong_probe',
    hint: "a tracepoint's arguments have names: args.prev_comm",
    but: { '0.17': { hint: "a tracepoint's arguments have names: args->prev_comm" } },
  },
  {
    program: 'tracepoint:sched:sched_switch { @ = ▸retval; }',
    code: 'wrong_probe',
    hint: 'its result is args.ret in the sys_exit_… tracepoint',
    but: { '0.17': { hint: 'its result is args->ret in the sys_exit_… tracepoint' } },
  },
  {
    program: 'BEGIN { @ = ▸sarg0; }',
    code: 'wrong_probe',
    hint: 'sarg0 is of kprobe, uprobe and usdt; this is BEGIN',
    but: { '0.27': { code: 'deprecated', hint: 'Use *(reg("sp") + <stack_offset>) instead.' } },
  },
  {
    program: 'BEGIN { printf("%s\\n", ▸args[0]); }',
    code: 'wrong_probe',
    hint: 'args is of tracepoint, fentry and uprobe; BEGIN has no arguments',
  },
  {
    program: 'tracepoint:sched:sched_switch, kprobe:vfs_read { @ = ▸args->prev_pid; }',
    code: 'wrong_probe',
    hint: 'give each kind of probe a block of its own',
    but: { '0.27': { code: 'unsupported_here', at: '1:32', hint: 'this kernel has no kprobes; use' } },
  },
];

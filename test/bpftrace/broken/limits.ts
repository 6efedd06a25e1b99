import type { Broken } from './broken.js';

export const LIMITS: readonly Broken[] = [
  {
    program: '▸tracepoint:*:* { @ = count(); }',
    code: 'too_many_probes',
    hint: 'narrow the pattern to 1024 probes at most, such as',
    but: { '0.17': { hint: 'narrow the pattern to 512 probes at most, such as' } },
  },
  {
    program: '▸tracepoint:* { @ = count(); }',
    code: 'too_many_probes',
    hint: 'narrow the pattern to 1024 probes at most, such as',
    but: { '0.17': { hint: 'narrow the pattern to 512 probes at most, such as' } },
  },
  {
    program:
      '▸BEGIN { $a = comm; $b = (comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm, comm); @[$b] = 1; print($b); }',
    code: 'stack_limit',
    hint: 'a program has 512 bytes of stack: use shorter text as keys and',
    but: { '0.17': { code: 'map_type', at: '1:243', hint: 'write @x[1, 2] for @x[(1, 2)]' } },
  },
  {
    program:
      '▸tracepoint:syscalls:sys_enter_openat { @[str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename)] = count(); }',
    code: 'stack_limit',
    hint: 'a program has 512 bytes of stack: use shorter text as keys and',
    but: { '0.23': 'fine', '0.27': 'fine' },
  },
  {
    program: '▸interval:ms:100 { $i = 0; while (1) { $i++; } }',
    code: 'verifier',
    hint: 'a while loop must have an end that the kernel can see: use',
    but: { '0.27': { hint: 'a while loop must have an end that the kernel can see: use for' } },
  },
  {
    program:
      '▸tracepoint:syscalls:sys_enter_openat { $s = str(args->filename); $t = str(args->filename); @[$s, $t, $s, $t, $s, $t, $s, $t] = count(); }',
    code: 'stack_limit',
    hint: 'a program has 512 bytes of stack: use shorter text as keys and',
    but: { '0.23': 'fine', '0.27': 'fine' },
  },
  {
    program:
      '▸tracepoint:syscalls:sys_enter_openat { printf("%s%s%s%s%s%s%s%s%s%s\\n", str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename), str(args->filename)); }',
    code: 'stack_limit',
    hint: 'a program has 512 bytes of stack: use shorter text as keys and',
    but: { '0.23': 'fine', '0.27': 'fine' },
  },
  {
    program: '▸interval:s:1 { $i = 0; while ($i < 5) { print($i); } exit(); }',
    code: 'verifier',
    hint: 'a while loop must have an end that the kernel can see: use',
    but: { '0.27': { hint: 'a while loop must have an end that the kernel can see: use for' } },
  },
];

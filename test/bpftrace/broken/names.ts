import type { Broken } from './broken.js';

export const NAMES: readonly Broken[] = [
  {
    program: 'BEGIN { ▸prinft("x"); }',
    code: 'unknown_function',
    hint: 'did you mean printf("format", args...)',
  },
  { program: 'BEGIN { ▸println("x"); }', code: 'unknown_function', hint: 'did you mean print(value)' },
  {
    program: 'BEGIN { @x = ▸Count(); }',
    code: 'unknown_function',
    hint: 'did you mean @map[keys] = count()',
  },
  {
    program: 'BEGIN { @x = ▸quantize(5); }',
    code: 'unknown_function',
    hint: 'did you mean @map[keys] = hist(n [, bits])',
  },
  {
    program: 'BEGIN { @x = ▸histogram(5); }',
    code: 'unknown_function',
    hint: 'did you mean @map[keys] = hist(n [, bits])',
  },
  {
    program: 'BEGIN { ▸sprintf("%d", 1); }',
    code: 'unknown_function',
    hint: 'there is none: give printf the parts, or use a tuple (a, b) as',
  },
  {
    program: 'BEGIN { $x = ▸sizeof_(1); }',
    code: 'unknown_function',
    hint: 'did you mean sizeof(type or expression)',
  },
  {
    program: 'BEGIN { @s = ▸string(0); }',
    code: 'unknown_function',
    hint: 'did you mean str(pointer [, length])',
    but: { '0.23': { code: 'syntax', hint: 'string is a type; text at an address is str(pointer)' } },
  },
  {
    program: 'kprobe:vfs_read { @[▸stack()] = count(); }',
    code: 'unknown_function',
    hint: 'did you mean kstack([mode,] [frames])',
    but: { '0.27': { code: 'unsupported_here', at: '1:1', hint: 'this kernel has no kprobes; use' } },
  },
  {
    program: 'BEGIN { @ = ▸ktsack(); }',
    code: 'unknown_function',
    hint: 'did you mean kstack([mode,] [frames])',
  },
  {
    program: 'BEGIN { ▸nosuchfunction(); }',
    code: 'unknown_function',
    hint: 'list_helpers lists the functions that there are',
  },
  { program: 'BEGIN { @x = ▸Pid; }', code: 'unknown_name', hint: 'did you mean pid' },
  { program: 'BEGIN { @x = ▸nsec; }', code: 'unknown_name', hint: 'did you mean nsecs' },
  { program: 'BEGIN { @x = ▸cmm; }', code: 'unknown_name', hint: 'did you mean comm' },
  { program: 'BEGIN { @x[▸execname] = count(); }', code: 'unknown_name', hint: 'did you mean comm' },
  {
    program: 'BEGIN { @x = ▸timestamp; }',
    code: 'unknown_name',
    hint: 'did you mean nsecs',
    but: { '0.23': { code: 'syntax', at: '1:23' } },
  },
  {
    program: 'BEGIN { @x = ▸PAGE_SIZE_NOPE; }',
    code: 'unknown_name',
    hint: 'constants come from headers: write its number, or #define',
  },
  {
    program: 'BEGIN { @x = ▸O_RDONLY; }',
    code: 'unknown_name',
    hint: 'O_RDONLY is 0',
  },
  { program: 'BEGIN { @x = ▸$y; }', code: 'unknown_variable', hint: 'assign it first: $y = 0;' },
  { program: 'BEGIN { $start = 1; print(▸$satrt); }', code: 'unknown_variable', hint: 'did you mean $start' },
  {
    program: 'BEGIN { $x = 1; } END { print(▸$x); }',
    code: 'unknown_variable',
    hint: 'a variable lives in one probe: keep it in a map, such as @x[tid]',
  },
  {
    program: 'BEGIN { if (pid) { $x = 1; } print(▸$x); }',
    code: 'unknown_variable',
    hint: 'it is assigned in an inner block and ends with it: put let $x;',
    but: { '0.17': 'fine' },
  },
  {
    program: 'BEGIN { print(▸@nope); }',
    code: 'unknown_map',
    hint: 'nothing gives @nope a value: assign it somewhere, such as @nope',
  },
  { program: 'BEGIN { @count = 1; print(▸@cuont); }', code: 'unknown_map', hint: 'did you mean @count' },
  {
    program: 'BEGIN { clear(▸@nope); }',
    code: 'unknown_map',
    hint: 'nothing gives @nope a value: assign it somewhere, such as @nope',
  },
  {
    program: 'BEGIN { delete(▸@nope[1]); }',
    code: 'unknown_map',
    hint: 'nothing gives @nope a value: assign it somewhere, such as @nope',
  },
  {
    program: 'BEGIN { $x = ▸@nope; }',
    code: 'unknown_map',
    hint: 'nothing gives @nope a value: assign it somewhere, such as @nope',
    but: { '0.27': 'fine' },
  },
  {
    program: 'BEGIN { $x = ▸@nope[1] + 1; }',
    code: 'unknown_map',
    hint: 'nothing gives @nope a value: assign it somewhere, such as @nope',
    but: { '0.27': 'fine' },
  },
  {
    program: 'interval:s:1 { @start[tid] = nsecs; @ = hist(nsecs - ▸@strat[tid]); }',
    code: 'unknown_map',
    hint: 'did you mean @start',
    but: { '0.27': 'fine' },
  },
  {
    program: 'BEGIN { $t = (▸struct task_strcut *)curtask; }',
    code: 'unknown_struct',
    hint: 'did you mean struct task_struct',
  },
  {
    program: 'BEGIN { $t = (▸struct nosuchstruct *)0; $x = $t->a; }',
    code: 'unknown_struct',
    hint: 'define it at the top: struct nosuchstruct { … }, or find the',
  },
  {
    program: 'BEGIN { $x = sizeof(▸struct nosuch); }',
    code: 'unknown_struct',
    hint: 'define it at the top: struct nosuch { … }, or find the right',
  },
  {
    program: 'BEGIN { @x = (▸nosuchtype)5; }',
    code: 'unknown_struct',
    hint: 'types are int8, int16, int32, int64, uint8, uint16, uint32,',
  },
  { program: 'BEGIN { $x = (▸uint65)5; }', code: 'unknown_struct', hint: 'did you mean uint64' },
  {
    program: 'BEGIN { @ = kstack(▸nosuchmode); }',
    code: 'unknown_name',
    hint: 'list_helpers lists the builtin variables; $name is a variable,',
    but: { '0.27': { code: 'arguments', hint: 'stack modes are bpftrace, perf and raw' } },
  },
  {
    program: 'BEGIN { ▸@x = @x; }',
    code: 'unknown_map',
    hint: 'nothing gives @x a value: assign it somewhere, such as @x =',
    but: { '0.27': 'fine' },
  },
  {
    program: 'BEGIN { for ($kv : ▸@nope) { print($kv); } }',
    code: 'unknown_map',
    hint: 'nothing gives @nope a value: assign it somewhere, such as @nope',
    but: { '0.17': { code: 'version', at: '1:9', hint: 'a loop over a map needs bpftrace 0.21' } },
  },
  {
    program: 'BEGIN { @x = $1; print(str($2)); ▸nosuch($3); }',
    code: 'unknown_function',
    hint: 'list_helpers lists the functions that there are',
  },
  { program: 'BEGIN { if (▸NULL) { exit(); } }', code: 'unknown_name', hint: 'NULL is 0' },
  {
    program:
      'tracepoint:syscalls:sys_enter_connect { $sa = (▸struct sockaddr_inn *)args->uservaddr; @[$sa->sin_port] = count(); }',
    code: 'unknown_struct',
    hint: 'did you mean struct sockaddr_in',
  },
  {
    program: 'BEGIN { print(▸nosuch.field); }',
    code: 'unknown_name',
    hint: 'list_helpers lists the builtin variables; $name is a variable,',
  },
  {
    program: 'BEGIN { $x = (▸struct nosuch)0; }',
    code: 'unknown_struct',
    hint: 'define it at the top: struct nosuch { … }, or find the right',
  },
  {
    program: 'BEGIN { ▸nosuch1(); nosuch2(); $z = $w; }',
    code: 'unknown_function',
    hint: 'list_helpers lists the functions that there are',
    but: { '0.27': { code: 'unknown_variable', at: '1:36', hint: 'assign it first: $w = 0;' } },
  },
  {
    program: 'BEGIN { ▸nosuch(args->foo, $x, @y); }',
    code: 'unknown_function',
    hint: 'list_helpers lists the functions that there are',
    but: {
      '0.27': {
        code: 'wrong_probe',
        at: '1:16',
        hint: 'args is of tracepoint, fentry and uprobe; BEGIN has no arguments',
      },
    },
  },
  {
    program: 'BEGIN { $x = sizeof(▸nosuchtype); }',
    code: 'unknown_name',
    hint: 'list_helpers lists the builtin variables; $name is a variable,',
  },
  {
    program: 'BEGIN { if (1) { $y = 1; } else { $y = 2; } print(▸$y); exit(); }',
    code: 'unknown_variable',
    hint: 'it is assigned in an inner block and ends with it: put let $y;',
    but: { '0.17': 'fine' },
  },
  {
    program: 'BEGIN { while (▸$i < 5) { $i++; } exit(); }',
    code: 'unknown_variable',
    hint: 'assign it first: $i = 0;',
  },
  {
    program: 'BEGIN { @x = sizeof(▸struct task_strct); }',
    code: 'unknown_struct',
    hint: 'did you mean struct task_struct',
  },
  {
    program:
      'tracepoint:syscalls:sys_enter_connect {\n  $sa = (struct sockaddr_in *)args->uservaddr;\n  if ($sa->sin_family == ▸AF_INET) { @ = count(); }\n}',
    code: 'unknown_name',
    hint: 'AF_INET is 2',
  },
  {
    program:
      'tracepoint:sched:sched_switch /args->prev_state & ▸TASK_UNINTERRUPTIBLE/ { @[comm] = count(); }',
    code: 'unknown_name',
    hint: 'TASK_UNINTERRUPTIBLE is 2',
  },
  {
    program: 'BEGIN { @m = max(▸@n); }',
    code: 'unknown_map',
    hint: 'nothing gives @n a value',
    but: { '0.27': { code: 'map_type', at: '1:9', hint: 'a map holds one kind of value' } },
  },
  {
    program: '// who?\nBEGIN { @file[tid] = "x"; }\n\tEND { clear(▸@files); }',
    code: 'unknown_map',
    hint: 'did you mean @file',
  },
];

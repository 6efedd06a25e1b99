import { define, type Entry } from './entry.js';

const map = define('map_function');

export const MAP_FUNCTIONS: readonly Entry[] = [
  map(
    'count',
    '@map[keys] = count()',
    'Counts calls. Kept per CPU, so it loses nothing to races, unlike @x++; readable as a number since 0.21.',
    'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }',
  ),
  map(
    'sum',
    '@map[keys] = sum(n)',
    'Adds n up, per CPU and free of races. Signed or unsigned follows n; readable as a number since 0.21.',
    'tracepoint:syscalls:sys_enter_write { @bytes[comm] = sum(args->count); }',
  ),
  map(
    'avg',
    '@map[keys] = avg(n)',
    'Running mean of n, shown rounded down to an integer: scale up before, not after. Readable as a number since 0.22.',
    'tracepoint:syscalls:sys_enter_write { @mean[comm] = avg(args->count); }',
  ),
  map(
    'min',
    '@map[keys] = min(n)',
    'Smallest n seen. Readable as a number since 0.21.',
    'tracepoint:syscalls:sys_enter_write { @least[comm] = min(args->count); }',
  ),
  map(
    'max',
    '@map[keys] = max(n)',
    'Largest n seen. Readable as a number since 0.21.',
    'tracepoint:syscalls:sys_enter_write { @most[comm] = max(args->count); }',
  ),
  map(
    'stats',
    '@map[keys] = stats(n)',
    'Count, mean and total of n in one map. top and div of print() do not work on it.',
    'tracepoint:syscalls:sys_enter_write { @[comm] = stats(args->count); }',
  ),
  map(
    'hist',
    '@map[keys] = hist(n [, bits])',
    'Histogram with power-of-two buckets. Since 0.20 bits (0 to 5) splits each into 2^bits, which tells close modes apart.',
    'tracepoint:syscalls:sys_enter_write { @bytes = hist(args->count); }',
  ),
  map(
    'lhist',
    '@map[keys] = lhist(n, min, max, step)',
    'Histogram with equal buckets of step over [min, max); what lies outside goes to the end buckets. At most 1000 buckets, literal bounds.',
    'tracepoint:syscalls:sys_enter_write { @bytes = lhist(args->count, 0, 4096, 256); }',
  ),
  map(
    'tseries',
    '@map[keys] = tseries(n, interval_ns, buckets [, agg])',
    'Time series: n per interval over the last buckets intervals; agg is avg, max, min or sum, else the last value. Unstable: it warns.',
    'tracepoint:syscalls:sys_enter_write { @ = tseries(args->count, 1000000000, 20, "sum"); }',
    { since: '0.24' },
  ),
  map(
    'print',
    'print(@map [, top [, div]])',
    'Prints a map now and again at exit, so clear() it. top keeps the largest, div divides. 0.27.1 picks wrong tops in maps of plain integers.',
    'interval:s:1 { @ticks[cpu] = count(); print(@ticks, 5); clear(@ticks); }',
  ),
  map(
    'clear',
    'clear(@map)',
    'Removes every key. Done later by user space: what probes add meanwhile is lost too. 0.17 and 0.23 still print a keyless map as 0.',
    'BEGIN { @start = nsecs; } END { clear(@start); }',
  ),
  map(
    'zero',
    'zero(@map)',
    'Sets every value to 0 and keeps the keys. Done later by user space.',
    'interval:s:1 { @ticks[cpu] = count(); print(@ticks); zero(@ticks); }',
  ),
  map(
    'delete',
    'delete(@map[key]), since 0.22 delete(@map, key)',
    'Removes one key at once; a key of several parts is a tuple: delete(@m, (1, 2)). delete(@map[key]) is deprecated but works everywhere.',
    'BEGIN { @start[tid] = nsecs; delete(@start[tid]); }',
  ),
  map(
    'has_key',
    'has_key(@map, key)',
    'Whether the map has the key, also when its value is 0, which a test of @map[key] cannot tell. 1 or 0 before 0.24, then a boolean.',
    'BEGIN { @start[tid] = nsecs; if (has_key(@start, tid)) { printf("known\\n"); } }',
    { since: '0.22' },
  ),
  map(
    'find',
    'find(@map, key, $value)',
    'Whether the map has the key, and its value put into $value: one look-up where has_key() and @map[key] take two.',
    'BEGIN { @start[tid] = nsecs; $t = nsecs; if (find(@start, tid, $t)) { print($t); } }',
    { since: '0.25' },
  ),
  map(
    'len',
    'len(@map)',
    'Number of keys. Maps that hold count(), sum() and the like work too; not for a map without keys.',
    'BEGIN { @start[tid] = nsecs; print(len(@start)); }',
    { since: '0.20' },
  ),
];

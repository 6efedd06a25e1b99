import type { Broken } from './broken.js';

export const MAPS: readonly Broken[] = [
  {
    program: 'BEGIN { @x = 1; ▸@x = "abc"; }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
  },
  {
    program: 'BEGIN { @x[1] = 1; ▸@x["a"] = 1; }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
  },
  {
    program: 'BEGIN { @x[1] = 1; ▸@x[1,2] = 1; }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
  },
  {
    program: 'BEGIN { @x[1] = 1; ▸@x = 1; }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
  },
  {
    program: 'BEGIN { @x = count(); ▸@x = 5; }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
  },
  {
    program: 'BEGIN { @x = count(); ▸@x = sum(5); }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
  },
  {
    program: 'BEGIN { @x = hist(1); ▸@x = lhist(1, 0, 10, 1); }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
  },
  {
    program: 'BEGIN { @x = lhist(1, 0, 10, 1); @x = ▸lhist(1, 0, 20, 1); }',
    code: 'map_type',
    hint: 'give every lhist() of a map the same bounds, or use another map',
  },
  {
    program: 'BEGIN { @x = 5; ▸@x = count(); }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
  },
  {
    program: 'BEGIN { @x = hist(5); ▸$y = @x; }',
    code: 'map_type',
    hint: 'it can be printed, not read: keep what you need of it in a map',
    but: { '0.17': 'fine' },
  },
  {
    program: 'BEGIN { $x = ▸count(); }',
    code: 'map_type',
    hint: 'write @name = count(…); as a statement of its own',
  },
  {
    program: 'BEGIN { print(▸count()); }',
    code: 'map_type',
    hint: 'write @name = count(…); as a statement of its own',
  },
  {
    program: 'BEGIN { ▸hist(5); }',
    code: 'map_type',
    hint: 'write @name = hist(…); as a statement of its own',
  },
  {
    program: 'BEGIN { ▸delete(@x); @x[1] = 1; }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
    but: {
      '0.17': { at: '1:21' },
      '0.23': { code: 'arguments', hint: 'the form is delete(@map[key]), since 0.22 delete(@map, key)' },
      '0.27': { hint: 'clear(@x) empties a map with keys' },
    },
  },
  {
    program: 'BEGIN { @x[1] = 1; print(▸@x[2, 3]); }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
    but: { '0.17': { code: 'version', at: '1:20', hint: 'one value can be printed from bpftrace 0.21 on' } },
  },
  {
    program: 'BEGIN { @x[▸hist(1)] = 1; }',
    code: 'map_type',
    hint: 'write @name = hist(…); as a statement of its own',
  },
  {
    program: 'BEGIN { @x[@y] = 1; @y = count(); }',
    code: 'map_type',
    hint: 'a count or histogram can be no key',
    but: { '0.23': 'fine', '0.27': 'fine' },
  },
  {
    program: 'BEGIN { @x = count(); ▸@x++; }',
    code: 'map_type',
    hint: 'its value can be read from bpftrace 0.21 on',
    but: {
      '0.23': { hint: 'cast it, as in (int64)@n, or count in a plain map: @n++' },
      '0.27': { hint: 'a map holds one kind of value: use another name for the other' },
    },
  },
  {
    program: 'BEGIN { @a = 1; for ($kv : ▸@a) { print($kv); } }',
    code: 'map_type',
    hint: 'loop over a map with keys, @x[key]',
    but: { '0.17': { code: 'version', at: '1:17', hint: 'a loop over a map needs bpftrace 0.21' } },
  },
  {
    program: 'BEGIN { @x[1] = 1; $y = ▸@x; }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
  },
  {
    program: 'BEGIN { @x[kstack] = count(); ▸@x[1] = count(); }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
  },
  {
    program: 'BEGIN { @x = (1, "a"); ▸@x = ("a", 1); }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
    but: { '0.17': { at: '1:27' } },
  },
  {
    program: 'BEGIN { ▸@a[(1,2)] = 1; exit(); }',
    code: 'map_type',
    hint: 'write @x[1, 2] for @x[(1, 2)]',
    but: { '0.23': 'fine', '0.27': 'fine' },
  },
  {
    program: 'BEGIN { @x[pid] = count(); print(▸@x[pid, tid]); }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
    but: { '0.17': { code: 'version', at: '1:28', hint: 'one value can be printed from bpftrace 0.21 on' } },
  },
  {
    program: 'BEGIN { @x = 5; print(▸@x[1]); }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
    but: { '0.17': { code: 'version', at: '1:17', hint: 'one value can be printed from bpftrace 0.21 on' } },
  },
  {
    program: 'BEGIN { @x[1] = 5; ▸@x++; }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
  },
  {
    program: 'interval:s:1 { @a[comm] = count(); ▸clear(@a[comm]); }',
    code: 'map_type',
    hint: 'give the map alone, as in print(@x) or clear(@x)',
    but: { '0.27': { code: 'arguments', at: '1:42', hint: 'the form is clear(@map)' } },
  },
  {
    program: 'BEGIN { @x = 5; ▸@x[1]++; }',
    code: 'map_type',
    hint: 'a map has the same kind of key wherever it is used: use another',
  },
  {
    program: 'BEGIN { @x = sum(1); ▸@x = min(1); }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
  },
  {
    program: 'BEGIN { @x = kstack; ▸@x = ustack; }',
    code: 'map_type',
    hint: 'a map holds one kind of value: use another name for the other',
  },
  {
    program: 'BEGIN { @x = count(); ▸@y = @x; exit(); }',
    code: 'map_type',
    hint: 'cast it, as in (int64)@n, or count in a plain map: @n++',
    but: { '0.17': 'fine' },
  },
  {
    program: 'BEGIN { @x[1] = count(); ▸@y = @x[1]; exit(); }',
    code: 'map_type',
    hint: 'cast it, as in (int64)@n, or count in a plain map: @n++',
    but: { '0.17': 'fine' },
  },
];

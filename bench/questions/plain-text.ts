/** An entry of a map as bpftrace prints it in text. */
export interface Entry {
  map: string;
  /** Empty: the map has one value only. */
  key: string;
  /** Of a key that is a stack, the innermost first. */
  symbols: string[];
  /** Of a histogram: `4K` for `[4K, 8K)`, and how many are in it; without the empty ones. */
  buckets: { lower: string; count: number }[];
  /** What stands behind the key; empty where buckets follow. */
  value: string;
}

const ENTRY = /^(@\w*)(?:\[(.*)\])?: ?(.*)$/;
const BUCKET = /^[[(]([^\],)]+)[^|]*[\])] +(\d+) \|/;
/** A stack has its frames below, a line each, and the value behind them. */
const STACK = /^(@\w*)\[(.*)$/;
const STACK_END = /^(?:, .*)?\]: (.*)$/;
/** The kernel puts this frame there while somebody else has the tracepoint too. */
const SHARED_PROBE = /^__traceiter_/;

/** Entries and other lines of bpftrace's standard output, each as often as it is printed. */
export function parsePlain(text: string): { entries: Entry[]; lines: string[] } {
  const entries: Entry[] = [];
  const lines: string[] = [];
  let open: Entry | undefined;
  for (const line of text.split('\n')) {
    if (open) {
      const end = STACK_END.exec(line);
      const symbol = line.trim().replace(/\+\d+/, '');
      if (end) {
        entries.push({ ...open, value: end[1] ?? '' });
        open = undefined;
      } else if (symbol !== '' && !SHARED_PROBE.test(symbol)) open.symbols.push(symbol);
      continue;
    }
    const [, lower = '', count] = BUCKET.exec(line) ?? [];
    const [entry, map = '', key = '', value = ''] = ENTRY.exec(line) ?? [];
    const [stack, stackMap = '', before = ''] = STACK.exec(line) ?? [];
    if (count !== undefined) {
      if (count !== '0') entries.at(-1)?.buckets.push({ lower, count: Number(count) });
    } else if (entry !== undefined) entries.push({ map, key, symbols: [], buckets: [], value });
    else if (stack !== undefined) open = { map: stackMap, key: before, symbols: [], buckets: [], value: '' };
    else if (line !== '' && !/^Attach/.test(line)) lines.push(line);
  }
  return { entries, lines };
}

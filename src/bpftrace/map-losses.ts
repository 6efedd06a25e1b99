import type { Release } from './version.js';

/**
 * What bpftrace itself loses or changes of a map between the kernel and its JSON, so that nobody behind it can get
 * it back; and what this server repairs. Measured on the releases 0.17, 0.23 and 0.27: `from` and `until` name
 * the first and last of them that does it.
 */
export interface MapLoss {
  id: string;
  from: Release;
  until?: Release;
  /** What bpftrace does. */
  what: string;
  /** What the typed map makes of it. */
  here: string;
}

export const MAP_LOSSES = [
  {
    id: 'joined_keys',
    from: '0.17',
    what: 'joins the parts of a key by commas and quotes none',
    here: "split by the parts' types in the program's text where there is one way only; else whole, and `keys_unsplit` says why",
  },
  {
    id: 'key_blanks',
    from: '0.27',
    what: 'takes the spaces out of keys (`npm view` is `npmview`)',
    here: 'texts of plain ASCII that stand in the program are restored; of others `blanks_lost` tells; `#2` and so on where two read alike',
  },
  {
    id: 'signed_keys',
    from: '0.17',
    until: '0.23',
    what: 'prints integers of 64 bits in keys as signed ones',
    here: 'restored where the key is cast by `(uint64)`',
  },
  {
    id: 'signed_averages',
    from: '0.17',
    until: '0.23',
    what: 'prints totals and averages of avg() and stats() as signed ones; of 64 bits, they wrap around',
    here: 'as printed',
  },
  {
    id: 'signed_extremes',
    from: '0.17',
    until: '0.17',
    what: 'prints min() and max() as signed ones, and has no entry for max() of negative numbers only',
    here: 'as printed',
  },
  {
    id: 'large_buckets',
    from: '0.17',
    until: '0.17',
    what: 'has one bucket in hist() for everything from 2^31 on, with false bounds',
    here: 'its bounds are [2147483648, open)',
  },
  {
    id: 'uneven_steps',
    from: '0.17',
    until: '0.23',
    what: 'writes `max` as the lower bound of the last bucket of lhist(), though it begins earlier where `step` does not divide the range',
    here: 'as printed',
  },
  {
    id: 'keys_escaped_twice',
    from: '0.23',
    until: '0.23',
    what: 'escapes keys twice',
    here: 'undone',
  },
  {
    id: 'damaged_bytes',
    from: '0.17',
    what: 'writes a byte outside ASCII as `\\uffffffc3`',
    here: 'undone; bytes that are no UTF-8 are shown as `\\xNN`, `strings_not_utf8` counts such strings, and `revealedBytes` of the library has them back',
  },
  {
    id: 'hexadecimal_counts',
    from: '0.27',
    what: 'writes counts of hist() and lhist() and values of tseries() in hexadecimal, once it has printed a control character or a byte outside ASCII',
    here: 'undone, also in lost events',
  },
  {
    id: 'buffers_as_numbers',
    from: '0.27',
    what: 'writes what buf() gives as a list of signed numbers, as the value of a map and in print()',
    here: 'text in maps that hold nothing else; as printed by print()',
  },
  {
    id: 'bare_words',
    from: '0.17',
    until: '0.17',
    what: 'does not quote times, MAC addresses and error names; a time of digits alone reads as a number',
    here: 'text, but for that number',
  },
  {
    id: 'truth_values',
    from: '0.17',
    until: '0.23',
    what: 'prints a comparison as 1 (0.17) or -1 (0.23); 0.27 prints true',
    here: 'as printed',
  },
  {
    id: 'cut_strings',
    from: '0.17',
    what: 'cuts strings at max_strlen (64 bytes in 0.17, 1024 in 0.23 and 0.27), and at a NUL',
    here: '`strings_cut` counts those as long as that',
  },
  {
    id: 'full_maps',
    from: '0.17',
    what: 'has no room for more than max_map_keys keys (4096); 0.17 says nothing of it',
    here: '`full`; `updates_lost` from 0.23 on',
  },
  {
    id: 'alike_symbols',
    from: '0.17',
    what: 'tells ksym(), usym() and stacks apart by address and process, and prints neither',
    here: 'stacks are added up where that is exact; others get `#2` and so on',
  },
  {
    id: 'glued_frames',
    from: '0.27',
    what: 'glues address, symbol and module of `perf` stacks together in keys',
    here: 'parted by the length of an address on x86-64 and arm64',
  },
] as const satisfies readonly MapLoss[];

/** Whether a release that was measured has it. */
export function hasLoss(id: string, minor: number): boolean {
  const loss: MapLoss | undefined = MAP_LOSSES.find(known => known.id === id);
  if (!loss) return false;
  return (
    minorOf(loss.from) <= minor && minor <= (loss.until ? minorOf(loss.until) : Number.POSITIVE_INFINITY)
  );
}

function minorOf(release: Release): number {
  return Number(release.split('.')[1]);
}

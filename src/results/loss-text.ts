import type { Losses } from './result.js';

/**
 * What is missing for good, and what to do so that it is not next time: `LOST 12 events (the kernel dropped them:
 * …), 3 oldest lines (…)`. Undefined when nothing is.
 */
export function lossText(losses: Losses = {}): string | undefined {
  const told = LOSSES.flatMap(([name, what]) => {
    const count = losses[name] ?? 0;
    return count > 0 ? [`${count} ${what}`] : [];
  });
  return told.length > 0 ? `LOST ${told.join(', ')}` : undefined;
}

const LOSSES: readonly [keyof Losses, string][] = [
  ['lost_events', 'events (the kernel dropped them: aggregate in maps, or filter with a predicate)'],
  ['lines_dropped', 'oldest lines (overwritten by newer ones)'],
  ['lines_truncated', 'of these lines in part (too long)'],
  ['bytes_dropped', 'bytes of lines that were too long'],
  ['map_entries_dropped', 'smallest map entries (too many to keep: use fewer keys)'],
  ['map_updates_lost', 'updates of full maps'],
  ['maps_full', 'full map (new keys were refused: use fewer, or clear() it at intervals)'],
  ['strings_cut', 'strings in part (as long as they can be)'],
];

/** Changes of one name into another: letters put in, left out, replaced, or two that changed places. */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The names that may have been meant, best first: a slip or two in a word of some length, or a part of a longer name. */
export function nearest(name: string, names: Iterable<string>, limit = 3): string[] {
  const wanted = name.toLowerCase();
  const slips = wanted.length <= 3 ? 1 : wanted.length <= 6 ? 2 : 3;
  const ranked: { name: string; rank: number }[] = [];
  for (const each of new Set(names)) {
    const lower = each.toLowerCase();
    const changes = distance(wanted, lower);
    const contains =
      Math.min(wanted.length, lower.length) >= 3 && (lower.includes(wanted) || wanted.includes(lower));
    if (changes <= slips && changes < lower.length) ranked.push({ name: each, rank: changes });
    else if (contains)
      ranked.push({ name: each, rank: slips + 1 + Math.abs(lower.length - wanted.length) / 100 });
  }
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ name: found }) => found);
}

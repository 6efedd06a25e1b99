import { readFileSync, writeFileSync } from 'node:fs';
import { chart } from '../chart.js';
import type { Report } from '../report.js';
import { CHART_FILE, FIGURES_FILE, type Published } from './figures.js';
import { joinedByRelease, rowsOf } from './rows.js';

/**
 * `npm run bench:publish -- FILE…`: what `--json` wrote becomes the README's chapter. Of a bench that several files have
 * for one release of bpftrace, the last one counts.
 */
const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('which runs? npm run bench -- --json FILE writes one; name one or several\n');
  process.exit(2);
}
const reports = joinedByRelease(files.map((file): Report => JSON.parse(readFileSync(file, 'utf8'))));
for (const { benches } of reports)
  for (const { name, failed } of benches)
    if (failed !== undefined) process.stderr.write(`${name} failed in one of the runs: ${failed}\n`);
const published: Published = {
  machines: reports.map(({ machine: { settings: _, ...machine } }) => machine),
  rows: rowsOf(reports),
};
writeFileSync(FIGURES_FILE, `${JSON.stringify(published, null, 1)}\n`);
writeFileSync(CHART_FILE, chart(published.rows));
await import('../../test/support/write-readme.js');

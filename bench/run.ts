import { writeFileSync } from 'node:fs';
import { answer } from './answer.js';
import { attach } from './attach.js';
import type { Bench, BenchContext } from './bench.js';
import { chart } from './chart.js';
import { crowd } from './crowd.js';
import { drain } from './drain.js';
import { fair } from './fair.js';
import type { Figure } from './figure.js';
import { fleet } from './fleet.js';
import { flood } from './flood/index.js';
import { footprint } from './footprint/index.js';
import { growth } from './growth.js';
import { judge } from './guard.js';
import { ingest } from './ingest.js';
import { loadNow, machineLines, machineNow, releaseOf } from './machine.js';
import { type Options, optionsOf, UsageError } from './options.js';
import { figureLines } from './print.js';
import { probes } from './probes.js';
import { rowsOf } from './publish/rows.js';
import { questions } from './questions/index.js';
import { read } from './read/index.js';
import type { Report } from './report.js';
import { share } from './share.js';
import { soak } from './soak/index.js';
import { starts } from './starts.js';
import { startup } from './startup.js';

const BENCHES: readonly Bench[] = [
  attach,
  answer,
  crowd,
  drain,
  fair,
  fleet,
  flood,
  footprint,
  growth,
  ingest,
  probes,
  questions,
  read,
  share,
  soak,
  starts,
  startup,
];

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The guard asks whether something broke, not by how much it is better. */
const GUARD_PAIRS = 5;

async function run(options: Options): Promise<Report> {
  const machine = machineNow();
  for (const line of machineLines(machine)) say(line);
  const begun = new Date();
  const report: Report = { machine, begun: begun.toISOString(), tookS: 0, benches: [] };
  for (const bench of BENCHES.filter(one => isWanted(one, options))) {
    const asked = options.pairs ?? (options.guard ? GUARD_PAIRS : undefined);
    say(`\n${bench.name}: ${bench.about}${asked === undefined ? '' : `; this time ${asked} pairs`}`);
    const from = performance.now();
    const figures: Figure[] = [];
    const context: BenchContext = {
      say,
      figure: figure => {
        figures.push(figure);
        for (const line of figureLines(figure)) say(line);
      },
      pairs: usual => options.pairs ?? (options.guard ? Math.min(usual, GUARD_PAIRS) : usual),
      minutes: options.minutes,
      release: releaseOf(machine),
      guardOnly: options.guard,
    };
    const failed = await bench.run(context).then(
      () => undefined,
      (error: unknown) => firstLine(error instanceof Error ? error.message : String(error)),
    );
    if (failed !== undefined) say(`  FAILED: ${failed}`);
    const tookS = Math.round((performance.now() - from) / 1000);
    say(`  (${tookS} s, load then ${loadNow().toFixed(2)})`);
    report.benches.push({ name: bench.name, tookS, figures, ...(failed !== undefined && { failed }) });
  }
  report.tookS = Math.round((Date.now() - begun.getTime()) / 1000);
  return report;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function isWanted({ name, onlyNamed, guarded }: Bench, { names, guard }: Options): boolean {
  if (names.length > 0) return names.includes(name);
  return guard ? guarded === true : onlyNamed !== true;
}

async function main(): Promise<number> {
  const options = optionsOf(
    process.argv.slice(2),
    BENCHES.map(({ name }) => name),
  );
  const report = await run(options);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (options.chart) writeFileSync(options.chart, chart(rowsOf([report])));
  const failed = report.benches.some(bench => bench.failed !== undefined);
  if (!options.guard) return failed ? 1 : 0;
  const { held, broken } = judge(report);
  say(`\nguard: ${held.length} bounds held, ${broken.length} not`);
  for (const line of held) say(`  held   ${line}`);
  for (const line of broken) say(`  WORSE  ${line}`);
  return broken.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

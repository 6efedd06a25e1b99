import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.js';
import { flood } from './flood.js';
import { probes } from './probes.js';
import { questions } from './questions/index.js';
import { soak } from './soak/index.js';
import { starts } from './starts.js';

const BENCHES: readonly Bench[] = [flood, probes, questions, soak, starts];

const { values, positionals: wanted } = parseArgs({
  options: { minutes: { type: 'string', default: '20' } },
  allowPositionals: true,
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  process.stderr.write(`--minutes ${values.minutes}: must be a number above 0\n`);
  process.exit(2);
}
const unknown = wanted.filter(name => !BENCHES.some(bench => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `no bench ${unknown.join(', ')}; there are: ${BENCHES.map(bench => bench.name).join(', ')}\n`,
  );
  process.exit(2);
}
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const bpftrace = process.env.BPFTRACE_MCP_BPFTRACE ?? 'bpftrace';
say(
  `machine: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
);
say(`node ${process.version}, ${execFileSync(bpftrace, ['--version'], { encoding: 'utf8' }).trim()}`);
for (const bench of BENCHES) {
  if (wanted.length > 0 ? !wanted.includes(bench.name) : bench.onlyNamed) continue;
  say(`\n${bench.name}: ${bench.about}`);
  await bench.run(say, { minutes });
}

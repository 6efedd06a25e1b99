import { readFileSync } from 'node:fs';
import { type Crowd, type Culprit, startCulprits } from '../../test/support/culprits.js';
import { ServerUnderTest } from '../../test/support/server.js';
import { until } from '../../test/support/until.js';
import type { Bench } from '../bench.js';
import { show, spreadOf } from '../statistics.js';
import type { Question } from './question.js';
import { byHand, type Told, TRACE_S, throughServer } from './sides.js';
import { missingFrom } from './told.js';
import { TWELVE } from './twelve.js';

/** A process that misbehaves has its name once it does. */
const READY_BOUND_MS = 10_000;
/** The two runs follow one another; when other processes were much busier in one of them, both are made again. */
const ATTEMPTS = 8;
/** So many entries and lines more in one run are that, beside a share of all of them. */
const MORE_ITEMS = 3;
const MORE_SHARE = 0.25;

interface Compared {
  ours: Told;
  plain: Told;
  /** Why the two can't be compared; no ratio then. */
  unequal: string[];
}

/** Bytes that an agent has to read for the same answers, here and from bpftrace itself. */
export const questions: Bench = {
  name: 'questions',
  about: `${TWELVE.length} questions of a person on call, each with a process that is the answer: bytes of text through the server beside the same program by hand (standard output and error), ${TRACE_S} s each`,
  async run({ say }) {
    const server = await ServerUnderTest.start(['--log-level', 'silent']);
    const done: Compared[] = [];
    try {
      say('  calls  bytes  by hand  ratio  question');
      for (const question of TWELVE) {
        const attempts = await untilEqual(server, question);
        const compared = attempts.at(-1);
        if (!compared) continue;
        say(`${row([compared])}  ${question.ask}`);
        for (const { unequal } of attempts) if (unequal.length > 0) say(`    unequal: ${unequal.join('; ')}`);
        done.push(compared);
      }
    } finally {
      await server.close();
    }
    const equal = done.filter(({ unequal }) => unequal.length === 0);
    const ratios = equal.map(({ ours, plain }) => sizeOf(ours) / sizeOf(plain));
    const output = total(equal, ({ plain }) => Buffer.byteLength(plain.text));
    const alone = (total(equal, ({ ours }) => sizeOf(ours)) / output).toFixed(2);
    say(`${row(equal)}  all; of its standard output alone ${alone}`);
    say(`  ratio of a question: ${show(spreadOf(ratios))}`);
    const left = done.length - equal.length;
    if (left > 0) throw new Error(`${left} questions were not answered alike, and are not in the sum`);
  },
};

function row(some: readonly Compared[]): string {
  const here = total(some, ({ ours }) => sizeOf(ours));
  const there = total(some, ({ plain }) => sizeOf(plain));
  const isEqual = some.every(({ unequal }) => unequal.length === 0);
  const cells = [
    total(some, ({ ours }) => ours.calls),
    here,
    there,
    isEqual ? (here / there).toFixed(2) : '-',
  ];
  const widths = [7, 7, 9, 7];
  return cells.map((cell, i) => String(cell).padStart(widths[i] ?? 0)).join('');
}

function total(some: readonly Compared[], of: (compared: Compared) => number): number {
  return some.reduce((sum, compared) => sum + of(compared), 0);
}

/** All attempts, the last of which is equal where one is. */
async function untilEqual(server: ServerUnderTest, question: Question): Promise<Compared[]> {
  const attempts: Compared[] = [];
  while (attempts.length < ATTEMPTS && attempts.at(-1)?.unequal.length !== 0)
    attempts.push(await compare(server, question));
  return attempts;
}

async function compare(server: ServerUnderTest, question: Question): Promise<Compared> {
  const crowd = startCulprits(question.culprits);
  try {
    for (const name of question.culprits) await begun(crowd, name);
    const program = question.program(crowd);
    const ours = await throughServer(server, program);
    const plain = await byHand(program);
    const unequal = missingFrom(ours.text, plain.text, question.culprits);
    for (const fact of question.facts) {
      if (!fact.test(ours.text)) unequal.push(`not told here: ${fact}`);
      if (!fact.test(plain.text)) unequal.push(`not told by bpftrace: ${fact}`);
    }
    const more = Math.abs(ours.items - plain.items);
    if (more > MORE_ITEMS + MORE_SHARE * Math.min(ours.items, plain.items))
      unequal.push(`other processes: ${ours.items} entries and lines here, ${plain.items} by hand`);
    return { ours, plain, unequal };
  } finally {
    await crowd.stop();
  }
}

function begun(crowd: Crowd, name: Culprit): Promise<boolean> {
  const comm = `/proc/${crowd.pid(name)}/comm`;
  return until(`${name} begins`, READY_BOUND_MS, () => readFileSync(comm, 'utf8').trim() === name);
}

function sizeOf({ text, errors }: Told): number {
  return Buffer.byteLength(text) + Buffer.byteLength(errors);
}

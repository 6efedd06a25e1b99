import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Counts, sumOf } from '../support/counts.js';
import { repositoryRoot } from '../support/fixtures.js';
import { runSuite } from '../support/suite.js';

/**
 * Whether the suite notices when a version's output is no longer handled: the build is copied, one place in the
 * copy is broken, and of the features that are tried on that version these must fail and no others.
 */
interface Break {
  what: string;
  suite: string;
  /** In the built code, once. */
  code: RegExp;
  becomes: string;
  /** Names of features; those of the group `output` are tried. */
  caughtBy: readonly string[];
}

const BREAKS: readonly Break[] = [
  {
    what: '0.17: the false bounds of a histogram’s last bucket are taken for true',
    suite: 'bookworm',
    code: /\bmin === -\(2 \*\* 31\)/,
    becomes: 'false',
    caughtBy: ['hist() beyond 2^31: where it begins'],
  },
  {
    what: '0.17: words without quotes are taken for damage',
    suite: 'bookworm',
    code: /new JsonWord\(word\)/,
    becomes: "this.fail('JSON')",
    caughtBy: ['strftime() in a map'],
  },
  {
    what: '0.23: keys that are escaped twice are unescaped once',
    suite: 'trixie',
    code: /reading\.keysEscapedTwice \?\? looksEscapedTwice\(json\)/,
    becomes: 'false',
    caughtBy: ['text beyond ASCII in a key', 'a kernel stack as a key', 'a user stack as a key'],
  },
  {
    what: '0.27: what a program warns of is not known',
    suite: 'sid',
    code: /(?<!function )isRuntimeMessage\(type\)/,
    becomes: 'false',
    caughtBy: ['warnf() and errorf()'],
  },
  {
    what: 'every version: bytes beyond ASCII stay damaged',
    suite: 'bookworm',
    code: /escapes\.slice\(i \* 10 \+ 8, i \* 10 \+ 10\)/,
    becomes: "'3f'",
    caughtBy: ['text beyond ASCII', 'text beyond ASCII in a key'],
  },
];

const GROUP = 'output';
const BUILD = join(repositoryRoot(), 'dist');
const BROKEN = join(repositoryRoot(), 'dist-broken');

/** Tries each break in its turn. @param bpftraceOf the bpftrace of a suite */
export async function tryBreaks(
  bpftraceOf: (suite: string) => string | undefined,
  say: (line: string) => void,
): Promise<Counts> {
  const outcomes: Counts[] = [];
  for (const one of BREAKS) {
    const wrong = await tryBreak(one, bpftraceOf(one.suite));
    say(wrong === undefined ? `ok    ${one.what}: noticed` : `FAIL  ${one.what}: ${wrong}`);
    outcomes.push({ passed: Number(wrong === undefined), failed: Number(wrong !== undefined), skipped: 0 });
  }
  rmSync(BROKEN, { recursive: true, force: true });
  return sumOf(outcomes);
}

async function tryBreak(one: Break, bpftrace: string | undefined): Promise<string | undefined> {
  if (bpftrace === undefined) return `no bpftrace of ${one.suite}`;
  rmSync(BROKEN, { recursive: true, force: true });
  cpSync(BUILD, BROKEN, { recursive: true });
  const places = breakIn(one);
  if (places !== 1)
    return `the code to break was found ${places} times: it has changed, and so must the break`;
  const { failures } = await runSuite(
    ['features/'],
    { BPFTRACE_MCP_BPFTRACE: bpftrace, BPFTRACE_MCP_TEST_GROUPS: GROUP },
    { runner: join(BROKEN, 'test', 'run.js'), quiet: true },
  );
  const caught = failures.map(failure => /^features\/features: (.*)$/.exec(failure)?.[1] ?? failure);
  const missed = one.caughtBy.filter(name => !caught.some(failure => failure.startsWith(`${name}: `)));
  const others = caught.filter(failure => !one.caughtBy.some(name => failure.startsWith(`${name}: `)));
  const problems = [
    ...missed.map(name => `"${name}" still passes`),
    ...others.map(failure => `fails too: ${failure}`),
  ];
  return problems.length > 0 ? problems.join('; ') : undefined;
}

/** How many places were broken. */
function breakIn({ code, becomes }: Break): number {
  const pattern = new RegExp(code, 'g');
  let places = 0;
  for (const part of ['src', 'workers']) {
    const files = readdirSync(join(BROKEN, part), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter(name => name.endsWith('.js'))) {
      const path = join(BROKEN, part, file);
      const text = readFileSync(path, 'utf8');
      const found = text.match(pattern)?.length ?? 0;
      if (found === 0) continue;
      places += found;
      writeFileSync(path, text.replace(pattern, becomes));
    }
  }
  return places;
}

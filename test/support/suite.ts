import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Counts, countsIn } from './counts.js';

const RUNNER = fileURLToPath(new URL('../run.js', import.meta.url));

export interface SuiteRun extends Counts {
  /** Labels of the tests that failed: `file: name`. */
  failures: string[];
  seconds: number;
}

/** Runs test files as `npm test` does. @param options.runner another build's; @param options.quiet prints nothing */
export async function runSuite(
  words: readonly string[],
  env: Record<string, string>,
  options: { runner?: string; quiet?: boolean } = {},
): Promise<SuiteRun> {
  const begun = performance.now();
  const child = spawn(process.execPath, [options.runner ?? RUNNER, ...words], {
    stdio: ['ignore', 'pipe', options.quiet ? 'ignore' : 'inherit'],
    env: { ...process.env, ...env },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (!options.quiet) process.stdout.write(chunk);
  });
  const [status] = await once(child, 'close');
  const counts = countsIn(text);
  // A runner that failed and counted no failure did not come to its end.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  const failures = Array.from(text.matchAll(/^FAIL {2}(.*)$/gm), ([, label = '']) => label);
  return { ...counts, failures, seconds: Math.round((performance.now() - begun) / 1000) };
}

import { type Check, type HostFacts, type Inspection, inspectHost } from '../bpftrace/checks.js';
import { gainPrivilege } from '../privilege/gain.js';
import { commandText, planFixes, type Step } from './doctor-plan.js';
import { readFixContext, rootPrefix, runStep, type StepOutcome } from './doctor-run.js';

interface DoctorOptions {
  bpftracePath: string;
  fix: boolean;
  json: boolean;
  out: NodeJS.WritableStream;
}

/**
 * Says what works here and what to do about what does not; with `fix`, does it.
 *
 *   inspect ──► all well, or no --fix ──► report
 *      │
 *      └─► plan ──► nothing to run ─────────────────────────► report
 *            ├────► not root, sudo wants a password ─► print ─► report
 *            └────► run every step, whatever the others did ─► inspect again ─► report
 *
 * Resolves to the exit code: 0 when every required check says yes in the last inspection.
 */
export async function doctor(options: DoctorOptions): Promise<number> {
  const { bpftracePath, fix, json, out } = options;
  const say = (text: string) => {
    if (!json) out.write(`${text}\n`);
  };
  const mayAsk = !json && 'isTTY' in out && out.isTTY === true;
  const launcher = await gainPrivilege(bpftracePath, mayAsk);
  let inspection = await inspectHost({ bpftracePath, launcher });
  let outcomes: StepOutcome[] = [];
  let steps: Step[] = [];
  if (fix) {
    steps = planFixes(inspection.checks, await readFixContext(bpftracePath));
    const prefix = steps.length > 0 ? await rootPrefix() : [];
    say(planText(steps, prefix));
    if (prefix && steps.length > 0) {
      outcomes = await runSteps(steps, prefix, say);
      inspection = await inspectHost({ bpftracePath, launcher });
    }
  }
  const ok = inspection.checks.every(check => !check.required || check.answer === 'yes');
  if (json) {
    out.write(
      `${JSON.stringify({ ok, ...inspection, ...(fix && { steps: stepsJson(steps, outcomes) }) }, null, 2)}\n`,
    );
  } else {
    say(report(inspection, wantsColour(out)));
  }
  // Steps that nobody ran are work left for the person, even if all they bring is optional.
  return ok && (steps.length === 0 || outcomes.length > 0) ? 0 : 1;
}

async function runSteps(
  steps: readonly Step[],
  prefix: readonly string[],
  say: (text: string) => void,
): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = [];
  for (const [index, step] of steps.entries()) {
    say(`[${index + 1}/${steps.length}] ${commandText([...prefix, ...step.argv])}`);
    const outcome = await runStep(step, prefix, line => say(`    | ${line}`));
    say(`    ${outcome.worked ? 'worked' : `FAILED: ${outcome.ending}`}`);
    outcomes.push(outcome);
  }
  say('');
  return outcomes;
}

function planText(steps: readonly Step[], prefix: readonly string[] | undefined): string {
  if (steps.length === 0) return 'Nothing to fix that --fix knows how to.\n';
  const lines = steps.map(
    (step, index) =>
      `  ${index + 1}. ${commandText([...(prefix ?? ['sudo']), ...step.argv])}\n     for ${step.fixes}: ${step.why}`,
  );
  const title = prefix
    ? 'This is going to be run:'
    : 'Not root, and sudo does not work without a password. Please run these yourself:';
  return [title, ...lines, ''].join('\n');
}

function stepsJson(steps: readonly Step[], outcomes: readonly StepOutcome[]) {
  return steps.map((step, index) => {
    const outcome = outcomes[index];
    const base = { fixes: step.fixes, command: commandText(outcome?.argv ?? step.argv), why: step.why };
    if (!outcome) return { ...base, ran: false };
    return { ...base, ran: true, worked: outcome.worked, ending: outcome.ending, output: outcome.output };
  });
}

const MARKS: Record<Check['answer'], string> = { yes: 'ok', no: 'NO', unknown: '??' };
/** Green, red, yellow. */
const COLOURS: Record<Check['answer'], number> = { yes: 32, no: 31, unknown: 33 };

export function report({ checks, host }: Inspection, colour: boolean): string {
  const nameWidth = Math.max(...checks.map(check => check.name.length));
  const lines = checks.map(check => {
    const mark = colour ? `\x1b[${COLOURS[check.answer]}m${MARKS[check.answer]}\x1b[0m` : MARKS[check.answer];
    const line = `${mark}  ${check.name.padEnd(nameWidth)}  ${check.detail}`;
    return check.action === undefined ? line : `${line}\n      -> ${check.action}`;
  });
  return [...lines, '', summary(checks, host)].join('\n');
}

function summary(checks: readonly Check[], host: HostFacts): string {
  const named = (title: string, some: Check[]) =>
    some.length === 0 ? [] : [`${title}: ${some.map(check => check.name).join(', ')}`];
  const missing = checks.filter(check => check.answer !== 'yes');
  const required = missing.filter(check => check.required);
  const optional = missing.filter(check => !check.required);
  const no = optional.filter(check => check.answer === 'no');
  const unknown = optional.filter(check => check.answer === 'unknown');
  return [
    `Linux ${host.kernel} ${host.arch}`,
    ...(required.length === 0 ? ['tracing works'] : named('the server cannot work without', required)),
    ...named('not here', no),
    ...named('could not tell', unknown),
  ].join('; ');
}

/** https://no-color.org: set and not empty. */
function wantsColour(out: NodeJS.WritableStream): boolean {
  return 'isTTY' in out && out.isTTY === true && !process.env.NO_COLOR;
}

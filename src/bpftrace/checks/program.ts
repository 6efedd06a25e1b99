import { findExecutable } from '../../privilege/executable.js';
import { isThroughSudo, type Launcher } from '../../privilege/launcher.js';
import { TRACE_ARGS } from '../spawn-plan.js';
import { atLeast, type BpftraceVersion, parseVersion, type Release } from '../version.js';
import { type Access, PROOF_TIMEOUT_MS, provesTracing, reachesBpftrace, runAs } from './access.js';
import type { CommandResult } from './command.js';
import type { HostFeatures } from './info.js';
import { type Check, notYes, yes } from './types.js';

/** Checks on bpftrace itself: is it there, does it answer, does it trace. */
interface FoundBpftrace {
  asked: string;
  /** Undefined when there is no such executable. */
  path?: string;
  versionRun?: CommandResult;
  version?: BpftraceVersion;
}

/** Printing the version takes bpftrace 50 ms; slow disks and cold caches get the rest, as do emulated processors. */
const VERSION_TIMEOUT_MS = 20_000;
/** Fixtures, and so the parsers, reach back to this one. */
const OLDEST_TRIED: Release = '0.17';

export async function findBpftrace(asked: string, launcher: Launcher): Promise<FoundBpftrace> {
  const path = findExecutable(asked, process.env);
  if (path === undefined) return { asked };
  const versionRun = await runAs(launcher, path, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS });
  const version = versionRun.exitCode === 0 ? parseVersion(versionRun.stdout) : undefined;
  return { asked, path, versionRun, ...(version && { version }) };
}

/** Something to run the other checks with; an unreadable version number does not stop them. */
export function usablePath(found: FoundBpftrace): string | undefined {
  return found.versionRun?.exitCode === 0 ? found.path : undefined;
}

export function bpftraceCheck({ asked, path, versionRun, version }: FoundBpftrace): Check {
  const no = (detail: string, action: string) => notYes('bpftrace', true, 'no', detail, action);
  if (!versionRun || path === undefined) {
    if (asked.includes('/')) {
      return no(`no executable at ${asked}`, 'correct the path, or leave it out to search PATH');
    }
    return no(
      `no ${asked} on PATH or in the system's folders`,
      "install the distribution's bpftrace package: `bpftrace-mcp doctor --fix` tries to",
    );
  }
  if (versionRun.exitCode !== 0) {
    return no(
      `${path} --version ${howItEnded(versionRun, VERSION_TIMEOUT_MS)}`,
      `run \`${path} --version\` by hand; reinstall bpftrace if it fails there too`,
    );
  }
  if (!version) {
    return notYes(
      'bpftrace',
      true,
      'unknown',
      `${path} does not print a version that can be read: ${excerpt(versionRun.stdout)}`,
      'install a released bpftrace, 0.17 or newer',
    );
  }
  const tooOld = atLeast(version, OLDEST_TRIED)
    ? ''
    : `; older than any version this server was tried with (${OLDEST_TRIED})`;
  return yes('bpftrace', true, `${version.text} at ${path}${tooOld}`);
}

export function tracesCheck(found: FoundBpftrace, access: Access | undefined, privileges: Check): Check {
  const no = (detail: string, action: string) => notYes('traces', true, 'no', detail, action);
  if (!access || found.path === undefined)
    return no('there is no working bpftrace to trace with', 'see bpftrace');
  const { launcher, proof } = access;
  if (provesTracing(proof)) {
    const tookMs = Math.round(proof.durationMs);
    return yes('traces', true, `a program was compiled, attached and printed in ${tookMs} ms`);
  }
  const detail = `a trivial program ${howItEnded(proof, PROOF_TIMEOUT_MS)}`;
  if (privileges.answer !== 'yes' || !reachesBpftrace(access)) return no(detail, 'see privileges');
  const sudo = isThroughSudo(launcher.mode) ? 'sudo ' : '';
  return no(
    detail,
    ACTIONS.find(([symptom]) => symptom.test(withoutNoise(proof.stderr).join('\n')))?.[1] ??
      `see it by hand: echo 'BEGIN { exit(); }' | ${sudo}${found.path} ${TRACE_ARGS.join(' ')}`,
  );
}

/** What stands behind a failure, by what bpftrace says of it. */
const ACTIONS: readonly (readonly [RegExp, string])[] = [
  [/Error reading events|available_events/, 'mount tracefs: see tracefs'],
  [
    /Operation not permitted|Permission denied/,
    "let bpf(2) and perf_event_open(2) through the container's seccomp filter, or run it privileged",
  ],
];

export function llvmCheck(info: HostFeatures, traces: Check): Check {
  if (info.llvm !== undefined) return yes('llvm', false, `LLVM ${info.llvm}`);
  if (traces.answer === 'yes')
    return yes('llvm', false, 'its version is not known, but it compiles programs');
  return notYes('llvm', false, 'unknown', 'bpftrace does not tell', 'see traces');
}

/** What bpftrace says on good runs too, where it may not raise a limit or read a list of functions. */
function withoutNoise(stderr: string): string[] {
  const noise = /RLIMIT_MEMLOCK|available_filter_functions|^Log: /;
  return stderr.split('\n').filter(line => line.trim() !== '' && !noise.test(line));
}

function lastWord(result: CommandResult): string {
  const lines = withoutNoise(result.stderr);
  const word = lines.findLast(line => /\b(ERROR|FATAL)\b/.test(line)) ?? lines.at(-1);
  return word === undefined ? 'it said nothing on stderr' : excerpt(word);
}

function howItEnded(result: CommandResult, boundMs: number): string {
  if (result.spawnError !== undefined) return `could not be started: ${result.spawnError}`;
  if (result.timedOut) return `did not end within ${boundMs} ms and was killed`;
  const how = result.signal ? `was killed by ${result.signal}` : `ended with status ${result.exitCode}`;
  return `${how}: ${lastWord(result)}`;
}

function excerpt(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > 200 ? `${line.slice(0, 199)}…` : line || '(nothing)';
}

import { machine } from 'node:os';
import { launcherFor } from '../privilege/gain.js';
import { isThroughSudo, type Launcher } from '../privilege/launcher.js';
import { type Access, privilegesCheck, reachesBpftrace, runAs, tryAccess } from './checks/access.js';
import { readCredentials } from './checks/credentials.js';
import { type HostFeatures, hostFeatures } from './checks/info.js';
import { kernelFacts } from './checks/kernel.js';
import { btfCheck, fentryCheck, kprobesCheck, tracepointsCheck, uprobesCheck } from './checks/probes.js';
import { bpftraceCheck, findBpftrace, llvmCheck, tracesCheck, usablePath } from './checks/program.js';
import {
  bpfJitCheck,
  debugfsCheck,
  lockdownCheck,
  memlockCheck,
  nodeCheck,
  outputPipeCheck,
  parentDeathSignalCheck,
  tracefsCheck,
  tryOutputPipe,
  trySetpriv,
} from './checks/system.js';
import type { Answer, Check } from './checks/types.js';
import type { BpftraceVersion } from './version.js';

export { type HostFeatures, hostFeatures } from './checks/info.js';
export type { Answer, Check } from './checks/types.js';

interface CheckOptions {
  /** A name to search on PATH, or a path. */
  bpftracePath: string;
  /** How the server starts bpftrace, where that has been chosen already. */
  launcher?: Launcher;
}

export interface HostFacts {
  /** As `uname -r` and `uname -m` print them. */
  kernel: string;
  arch: string;
  bpftracePath?: string;
  bpftraceVersion?: BpftraceVersion;
  llvm?: string;
  /** How bpftrace gets its rights. */
  privilegeMode: Launcher['mode'];
  /** `bpftrace --info`, flat; a name that is missing was not reported. */
  features: Record<string, Answer>;
}

export interface Inspection {
  host: HostFacts;
  checks: Check[];
}

/** `--info` takes 30 to 90 ms; a cold start of LLVM on a slow disk may take seconds. */
const INFO_TIMEOUT_MS = 20_000;
/** In every kernel since 2.6, never inlined, and the one bpftrace's own documentation uses. */
const FENTRY_SAMPLE = 'fentry:vfs_read';

/** Takes as long as the longest child: the proof that tracing works, about half a second. */
export async function inspectHost(options: CheckOptions): Promise<Inspection> {
  const launcher = options.launcher ?? launcherFor(options.bpftracePath);
  const { mode } = launcher;
  const [credentials, found, kernel, setpriv, outputPipe] = await Promise.all([
    readCredentials(),
    findBpftrace(options.bpftracePath, launcher),
    kernelFacts(),
    trySetpriv(),
    tryOutputPipe(),
  ]);
  const path = usablePath(found);
  const [access, asked] = path === undefined ? [] : await tryBpftrace(path, launcher);
  const info = asked?.info ?? hostFeatures('');

  const privileges = privilegesCheck(access, mode, credentials);
  const traces = tracesCheck(found, access, privileges);
  const checks = [
    bpftraceCheck(found),
    privileges,
    tracefsCheck(kernel, mode),
    traces,
    nodeCheck(),
    tracepointsCheck(kernel),
    kprobesCheck(kernel, info),
    uprobesCheck(kernel),
    fentryCheck(kernel, info, asked?.fentryListed ?? 'unknown'),
    btfCheck(kernel, process.env.BPFTRACE_BTF),
    debugfsCheck(kernel),
    lockdownCheck(kernel),
    memlockCheck(kernel, mode, credentials),
    bpfJitCheck(kernel),
    llvmCheck(info, traces),
    parentDeathSignalCheck(setpriv, mode),
    outputPipeCheck(outputPipe),
  ];
  const host: HostFacts = {
    kernel: kernel.release,
    arch: machine(),
    ...(path !== undefined && { bpftracePath: path }),
    ...(found.version && { bpftraceVersion: found.version }),
    ...(info.llvm !== undefined && { llvm: info.llvm }),
    privilegeMode: mode,
    features: info.features,
  };
  return { host, checks };
}

interface Asked {
  info: HostFeatures;
  fentryListed: Answer;
}

async function tryBpftrace(path: string, launcher: Launcher): Promise<[Access, Asked | undefined]> {
  // Side by side where nothing can be refused; through sudo one refusal is enough (each one is logged).
  if (!isThroughSudo(launcher.mode))
    return Promise.all([tryAccess(path, launcher), askItself(path, launcher)]);
  const access = await tryAccess(path, launcher);
  return [access, reachesBpftrace(access) ? await askItself(path, launcher) : undefined];
}

/** What bpftrace says of itself; nothing where it refuses. */
async function askItself(path: string, launcher: Launcher): Promise<Asked> {
  const ask = async (args: readonly string[]) => {
    const result = await runAs(launcher, path, args, { timeoutMs: INFO_TIMEOUT_MS });
    return result.exitCode === 0 ? result : undefined;
  };
  const printed = await ask(['--info']);
  // 0.17 prints it on stderr, the others on stdout.
  const info = hostFeatures(printed ? `${printed.stdout}\n${printed.stderr}` : '');
  if (!printed || info.features.fentry !== undefined) return { info, fentryListed: 'unknown' };
  const listed = await ask(['-l', FENTRY_SAMPLE]);
  return { info, fentryListed: listed ? (listed.stdout.trim() === '' ? 'no' : 'yes') : 'unknown' };
}

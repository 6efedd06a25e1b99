import { closeSync } from 'node:fs';
import { findExecutable } from '../../privilege/executable.js';
import { isThroughSudo, type Launcher } from '../../privilege/launcher.js';
import { type MadePipe, makePipes } from '../output-pipes.js';
import { childEnvironment } from '../spawn-plan.js';
import { type CommandResult, runCommand } from './command.js';
import { type Credentials, holds } from './credentials.js';
import { configSays, DEBUGFS_PATH, type KernelFacts, kernelAtLeast, TRACEFS_PATH } from './kernel.js';
import { type Check, notYes, yes } from './types.js';

/** Checks on what surrounds bpftrace: file systems, limits, the kernel's hardening, helpers, Node. */

/** Required as a whole: without it 0.27 runs no program at all, and no version sees any tracepoint. */
export function tracefsCheck(kernel: KernelFacts, mode: Launcher['mode']): Check {
  const { path, readable } = kernel.tracefs;
  if (path === undefined) {
    return configSays(kernel.config, 'TRACING') === 'no'
      ? notYes(
          'tracefs',
          true,
          'no',
          'the kernel was built without tracing',
          'use a kernel with CONFIG_FTRACE',
        )
      : notYes('tracefs', true, 'no', 'not mounted', `mount -t tracefs tracefs ${TRACEFS_PATH}`);
  }
  if (readable) return yes('tracefs', true, path);
  if (isThroughSudo(mode)) return yes('tracefs', true, `${path}, read through sudo`);
  return notYes(
    'tracefs',
    true,
    'no',
    `${path} is mounted, but this user cannot read it`,
    `run the server as root, or give its group access: mount -o remount,gid=GROUP,mode=750 ${path}`,
  );
}

export function debugfsCheck(kernel: KernelFacts): Check {
  if (kernel.debugfsMounted) return yes('debugfs', false, DEBUGFS_PATH);
  if (configSays(kernel.config, 'DEBUG_FS') === 'no') {
    return notYes(
      'debugfs',
      false,
      'no',
      'the kernel was built without it',
      'nothing to do: tracefs is enough',
    );
  }
  // bpftrace up to 0.23 has /sys/kernel/debug/tracing/kprobe_events compiled in as a fallback.
  return notYes(
    'debugfs',
    false,
    'no',
    'not mounted; older bpftrace looks there for kprobe_events',
    `mount -t debugfs debugfs ${DEBUGFS_PATH}`,
  );
}

export function lockdownCheck(kernel: KernelFacts): Check {
  const confidential = 'locked down (confidentiality): no kprobes, no reading of kernel memory';
  const leave = 'boot with lockdown=integrity or lockdown=none, or with Secure Boot off';
  const integrity = 'integrity mode: tracing works, writing to user memory does not';
  const mode = kernel.lockdown && /\[(\w+)\]/.exec(kernel.lockdown)?.[1];
  if (mode === 'confidentiality') return notYes('lockdown', false, 'no', confidential, leave);
  if (mode === 'integrity') return yes('lockdown', false, integrity);
  if (mode === 'none') return yes('lockdown', false, 'none');
  // The configured mode is a floor: the boot line or Secure Boot may have raised it.
  if (configSays(kernel.config, 'LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY') === 'yes') {
    return notYes('lockdown', false, 'no', confidential, leave);
  }
  if (configSays(kernel.config, 'SECURITY_LOCKDOWN_LSM') === 'no') {
    return yes('lockdown', false, 'the kernel was built without it');
  }
  const floor =
    configSays(kernel.config, 'LOCK_DOWN_KERNEL_FORCE_INTEGRITY') === 'yes'
      ? ', at least integrity by configuration'
      : '';
  return notYes(
    'lockdown',
    false,
    'unknown',
    `securityfs is not mounted${floor}`,
    'to see it: mount -t securityfs securityfs /sys/kernel/security',
  );
}

export function memlockCheck(
  kernel: KernelFacts,
  mode: Launcher['mode'],
  { effective, bounding, memlockBytes }: Credentials,
): Check {
  const limit = memlockBytes === undefined ? 'not known' : memlockText(memlockBytes);
  const raisable = holds(isThroughSudo(mode) ? bounding : effective, 'SYS_RESOURCE');
  const line = raisable ? '' : '; bpftrace cannot raise it and says so on every run, which is harmless';
  // Since 5.11 memory for BPF counts against the cgroup instead.
  const free = kernelAtLeast(kernel.release, 5, 11);
  if (free) return yes('memlock', false, `limit ${limit}, not applied to BPF by this kernel${line}`);
  if (raisable || memlockBytes === Number.POSITIVE_INFINITY) {
    return yes('memlock', false, `limit ${limit}${raisable ? ', can be raised' : ''}`);
  }
  return notYes(
    'memlock',
    false,
    free === undefined ? 'unknown' : 'no',
    `limit ${limit} and no CAP_SYS_RESOURCE to raise it: programs with large maps will not load`,
    'start the server with `ulimit -l unlimited`, or LimitMEMLOCK=infinity in its unit',
  );
}

function memlockText(bytes: number): string {
  return Number.isFinite(bytes) ? `${Math.round(bytes / 1024)} KiB` : 'unlimited';
}

export function bpfJitCheck(kernel: KernelFacts): Check {
  const setting = kernel.bpfJitEnable;
  const enable = 'sysctl -w net.core.bpf_jit_enable=1';
  if (setting === '1' || setting === '2') return yes('bpf_jit', false, `bpf_jit_enable is ${setting}`);
  if (setting === '0') {
    return notYes('bpf_jit', false, 'no', 'off: probes are interpreted, several times slower', enable);
  }
  if (configSays(kernel.config, 'BPF_JIT_ALWAYS_ON') === 'yes') return yes('bpf_jit', false, 'always on');
  if (configSays(kernel.config, 'BPF_JIT') === 'no') {
    return notYes(
      'bpf_jit',
      false,
      'no',
      'the kernel was built without CONFIG_BPF_JIT: probes are interpreted, several times slower',
      'use a kernel that has it',
    );
  }
  return notYes('bpf_jit', false, 'unknown', 'bpf_jit_enable cannot be read', 'run this as root');
}

const SETPRIV_TIMEOUT_MS = 10_000;

/** By doing it: busybox has a setpriv too, without the option. Undefined when there is none. */
export async function trySetpriv(): Promise<CommandResult | undefined> {
  const setpriv = findExecutable('setpriv', process.env);
  return setpriv === undefined
    ? undefined
    : await runCommand(
        {
          command: setpriv,
          args: ['--pdeathsig', 'KILL', 'true'],
          env: childEnvironment(process.env),
        },
        { timeoutMs: SETPRIV_TIMEOUT_MS },
      );
}

export function parentDeathSignalCheck(tried: CommandResult | undefined, mode: Launcher['mode']): Check {
  const no = (detail: string, action: string) => notYes('parent_death_signal', false, 'no', detail, action);
  const install = 'install util-linux; until then bpftrace outlives a killed server up to its own deadline';
  // prctl(2), PR_SET_PDEATHSIG: cleared upon execve of a set-user-ID program, so something else has to do it.
  if (isThroughSudo(mode))
    return yes('parent_death_signal', false, 'not needed: the supervisor behind sudo ends bpftrace');
  if (!tried) return no('there is no setpriv on PATH', install);
  if (tried.exitCode !== 0) return no('this setpriv does not know --pdeathsig', install);
  return yes('parent_death_signal', false, 'setpriv: bpftrace dies with the server, even if that is killed');
}

/** By doing it; where it can't be done, why. */
export async function tryOutputPipe(): Promise<Pick<MadePipe, 'capacityBytes'> | string> {
  try {
    const [pipe] = await makePipes(1);
    if (!pipe) return 'none was made';
    closeSync(pipe.keeper);
    return pipe;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const ROOMY_BYTES = 262_144;

/** Into what bpftrace prints: see output-pipes.ts. */
export function outputPipeCheck(tried: Pick<MadePipe, 'capacityBytes'> | string): Check {
  const no = (detail: string, action: string) => notYes('output_pipe', false, 'no', detail, action);
  const loss = 'a program that prints very much loses more events, and costs more CPU';
  if (typeof tried === 'string') return no(`${tried}: ${loss}`, 'install perl (perl-base is enough)');
  const size = `${tried.capacityBytes / 1024} KiB`;
  if (tried.capacityBytes >= ROOMY_BYTES) return yes('output_pipe', false, size);
  return no(`only ${size}: ${loss}`, 'raise fs.pipe-max-size and fs.pipe-user-pages-soft with sysctl');
}

const NODE_MAJOR_MIN = 20;

export function nodeCheck(version = process.versions.node): Check {
  const major = Number.parseInt(version, 10);
  if (major >= NODE_MAJOR_MIN) return yes('node', true, version);
  return notYes('node', true, 'no', version, `install Node ${NODE_MAJOR_MIN} or newer`);
}

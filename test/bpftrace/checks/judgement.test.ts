import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { privilegesCheck } from '../../../src/bpftrace/checks/access.js';
import type { CommandResult } from '../../../src/bpftrace/checks/command.js';
import { CAPABILITY, type Credentials } from '../../../src/bpftrace/checks/credentials.js';
import { hostFeatures } from '../../../src/bpftrace/checks/info.js';
import {
  configSays,
  type KernelFacts,
  kernelAtLeast,
  parseKernelConfig,
  parseMounts,
} from '../../../src/bpftrace/checks/kernel.js';
import {
  btfCheck,
  fentryCheck,
  kprobesCheck,
  tracepointsCheck,
  uprobesCheck,
} from '../../../src/bpftrace/checks/probes.js';
import {
  bpfJitCheck,
  debugfsCheck,
  lockdownCheck,
  memlockCheck,
  nodeCheck,
  outputPipeCheck,
  parentDeathSignalCheck,
  tracefsCheck,
} from '../../../src/bpftrace/checks/system.js';
import type { PrivilegeMode } from '../../../src/privilege/launcher.js';

/** A desktop kernel with everything. */
const GOOD: KernelFacts = {
  release: '6.12.0-1-amd64',
  config: undefined,
  tracefs: { path: '/sys/kernel/tracing', readable: true, groups: 100 },
  debugfsMounted: true,
  eventSources: new Set(['kprobe', 'uprobe', 'tracepoint', 'software']),
  filterFunctions: 'readable',
  kprobeEvents: 'readable',
  uprobeEvents: 'readable',
  kprobesEnabled: '1',
  vmlinuxBtf: 'readable',
  lockdown: '[none] integrity confidentiality',
  bpfJitEnable: '1',
};
const NO_TRACEFS = { path: undefined, readable: false, groups: 0 };
const CLOSED_TRACEFS = { path: '/sys/kernel/tracing', readable: false, groups: 0 };
const NO_INFO = hostFeatures('');

const every = (...names: (keyof typeof CAPABILITY)[]) =>
  names.reduce((set, name) => set | (1n << BigInt(CAPABILITY[name])), 0n);
const ROOT: Credentials = {
  uid: 0,
  inUserNamespace: false,
  effective: every('SYS_ADMIN', 'SYS_RESOURCE', 'BPF', 'PERFMON'),
  bounding: every('SYS_ADMIN', 'SYS_RESOURCE', 'BPF', 'PERFMON'),
  memlockBytes: 8 << 20,
};

describe('what the kernel tells', () => {
  test('configuration: y and m are on, absent and "is not set" are off, no file is unknown', () => {
    const config = parseKernelConfig('CONFIG_UPROBE_EVENTS=y\nCONFIG_X=m\n# CONFIG_KPROBES is not set\n');
    assert.equal(configSays(config, 'UPROBE_EVENTS'), 'yes');
    assert.equal(configSays(config, 'X'), 'yes');
    assert.equal(configSays(config, 'KPROBES'), 'no');
    assert.equal(configSays(config, 'KPROBE_EVENTS'), 'no');
    assert.equal(configSays(undefined, 'KPROBES'), 'unknown');
  });

  test('mount table: path and type, blanks unescaped, optional fields or none', () => {
    const text = [
      '25 1 0:23 / /sys/kernel/tracing rw,relatime shared:8 master:1 - tracefs tracefs rw',
      '26 1 0:24 / /mnt/a\\040b rw - ext4 /dev/sda1 rw',
      '',
    ].join('\n');
    assert.deepEqual(parseMounts(text), [
      { path: '/sys/kernel/tracing', type: 'tracefs' },
      { path: '/mnt/a b', type: 'ext4' },
    ]);
  });

  test('release: compared as numbers', () => {
    assert.equal(kernelAtLeast('5.4.0-42-generic', 5, 11), false);
    assert.equal(kernelAtLeast('5.11.0', 5, 11), true);
    assert.equal(kernelAtLeast('6.1.0', 5, 11), true);
    assert.equal(kernelAtLeast('next', 5, 11), undefined);
  });
});

describe('kinds of probe', () => {
  test('kprobes', () => {
    const answer = (change: Partial<KernelFacts>, info = NO_INFO) =>
      kprobesCheck({ ...GOOD, ...change }, info).answer;
    const noSource = { eventSources: new Set(['software']) };
    assert.equal(answer({}), 'yes');
    assert.equal(answer({ kprobesEnabled: '0' }), 'no');
    assert.equal(answer({ lockdown: 'none integrity [confidentiality]' }), 'no');
    assert.equal(answer({}, hostFeatures('  kprobe: no\n')), 'no');
    assert.equal(answer({ ...noSource, kprobeEvents: 'absent' }), 'no');
    assert.equal(answer({ ...noSource, config: new Map() }), 'no');
    assert.equal(
      answer({ ...noSource, kprobeEvents: 'absent' }, hostFeatures('  kprobe: yes\n')),
      'no',
      'the kernel counts before bpftrace',
    );
    assert.equal(answer({ ...noSource, tracefs: NO_TRACEFS, kprobeEvents: 'absent' }), 'unknown');
    assert.equal(
      answer({ eventSources: undefined, tracefs: CLOSED_TRACEFS, kprobeEvents: 'unreadable' }),
      'unknown',
    );
    assert.match(kprobesCheck({ ...GOOD, filterFunctions: 'unreadable' }, NO_INFO).detail, /keeps .* closed/);
  });

  test('uprobes', () => {
    assert.equal(uprobesCheck(GOOD).answer, 'yes');
    assert.equal(uprobesCheck({ ...GOOD, eventSources: undefined }).answer, 'yes');
    assert.equal(uprobesCheck({ ...GOOD, eventSources: new Set(), config: new Map() }).answer, 'no');
    assert.equal(
      uprobesCheck({ ...GOOD, eventSources: undefined, tracefs: NO_TRACEFS, uprobeEvents: 'absent' }).answer,
      'unknown',
    );
  });

  test('tracepoints', () => {
    assert.equal(tracepointsCheck(GOOD).answer, 'yes');
    assert.equal(tracepointsCheck({ ...GOOD, tracefs: NO_TRACEFS }).answer, 'no');
    assert.equal(tracepointsCheck({ ...GOOD, tracefs: CLOSED_TRACEFS }).answer, 'yes');
    assert.equal(
      tracepointsCheck({ ...GOOD, tracefs: CLOSED_TRACEFS, eventSources: undefined }).answer,
      'unknown',
    );
  });

  test('fentry: BTF and direct calls first, then --info, then the list', () => {
    const says = (word: string) => hostFeatures(`  fentry: ${word}\n`);
    assert.equal(fentryCheck(GOOD, says('yes'), 'unknown').answer, 'yes');
    assert.equal(fentryCheck(GOOD, says('no'), 'yes').answer, 'no');
    assert.equal(fentryCheck(GOOD, NO_INFO, 'yes').answer, 'yes');
    assert.equal(fentryCheck(GOOD, NO_INFO, 'no').answer, 'no');
    assert.equal(fentryCheck(GOOD, NO_INFO, 'unknown').answer, 'unknown');
    assert.equal(fentryCheck({ ...GOOD, vmlinuxBtf: 'absent' }, says('yes'), 'yes').answer, 'no');
    assert.equal(fentryCheck({ ...GOOD, config: new Map() }, says('yes'), 'yes').answer, 'no');
  });

  test('btf: the kernel, or the operator, brings it', () => {
    assert.equal(btfCheck(GOOD, undefined).answer, 'yes');
    assert.equal(btfCheck({ ...GOOD, vmlinuxBtf: 'absent' }, undefined).answer, 'no');
    assert.equal(btfCheck({ ...GOOD, vmlinuxBtf: 'absent' }, '/opt/vmlinux.btf').answer, 'yes');
  });
});

describe('what surrounds bpftrace', () => {
  test('tracefs: read by this user, or through sudo', () => {
    assert.equal(tracefsCheck(GOOD, 'root').answer, 'yes');
    assert.equal(
      tracefsCheck({ ...GOOD, tracefs: NO_TRACEFS }, 'root').action,
      'mount -t tracefs tracefs /sys/kernel/tracing',
    );
    assert.equal(tracefsCheck({ ...GOOD, tracefs: CLOSED_TRACEFS }, 'sudo').answer, 'yes');
    assert.equal(tracefsCheck({ ...GOOD, tracefs: CLOSED_TRACEFS }, 'none').answer, 'no');
  });

  test('debugfs', () => {
    assert.equal(debugfsCheck(GOOD).answer, 'yes');
    assert.match(debugfsCheck({ ...GOOD, debugfsMounted: false }).action ?? '', /^mount -t debugfs/);
    assert.match(
      debugfsCheck({ ...GOOD, debugfsMounted: false, config: new Map() }).action ?? '',
      /nothing to do/,
    );
  });

  test('lockdown: yes means that it is not in the way', () => {
    const answer = (lockdown: string | undefined, config?: string) =>
      lockdownCheck({
        ...GOOD,
        lockdown,
        config: config === undefined ? undefined : parseKernelConfig(config),
      }).answer;
    assert.equal(answer('[none] integrity confidentiality'), 'yes');
    assert.equal(answer('none [integrity] confidentiality'), 'yes');
    assert.equal(answer('none integrity [confidentiality]'), 'no');
    assert.equal(answer(undefined), 'unknown');
    assert.equal(answer(undefined, ''), 'yes', 'built without');
    const built = 'CONFIG_SECURITY_LOCKDOWN_LSM=y\n';
    assert.equal(answer(undefined, built), 'unknown', 'the boot line may have set it');
    assert.equal(answer(undefined, `${built}CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY=y\n`), 'no');
  });

  test('memlock: of no account from 5.11 on', () => {
    const poor = { ...ROOT, effective: 0n };
    const old = { ...GOOD, release: '5.4.0' };
    assert.equal(memlockCheck(GOOD, 'root', poor).answer, 'yes');
    assert.equal(memlockCheck(old, 'root', ROOT).answer, 'yes');
    assert.equal(memlockCheck(old, 'root', poor).answer, 'no');
    assert.equal(memlockCheck(old, 'sudo', poor).answer, 'yes', 'root through sudo can raise it');
    assert.equal(
      memlockCheck(old, 'root', { ...poor, memlockBytes: Number.POSITIVE_INFINITY }).answer,
      'yes',
    );
    assert.equal(memlockCheck({ ...GOOD, release: 'next' }, 'root', poor).answer, 'unknown');
  });

  test('bpf_jit', () => {
    assert.equal(bpfJitCheck(GOOD).answer, 'yes');
    assert.equal(bpfJitCheck({ ...GOOD, bpfJitEnable: '0' }).action, 'sysctl -w net.core.bpf_jit_enable=1');
    const config = parseKernelConfig('CONFIG_BPF_JIT=y\nCONFIG_BPF_JIT_ALWAYS_ON=y\n');
    assert.equal(bpfJitCheck({ ...GOOD, bpfJitEnable: undefined, config }).answer, 'yes');
    assert.equal(bpfJitCheck({ ...GOOD, bpfJitEnable: undefined }).answer, 'unknown');
    assert.equal(bpfJitCheck({ ...GOOD, bpfJitEnable: undefined, config: new Map() }).answer, 'no');
  });

  test('parent_death_signal: by setpriv, and not needed behind sudo', () => {
    assert.equal(parentDeathSignalCheck(ended(0), 'root').answer, 'yes');
    assert.equal(parentDeathSignalCheck(undefined, 'sudo').answer, 'yes');
    assert.equal(parentDeathSignalCheck(ended(1), 'root').answer, 'no');
    assert.equal(parentDeathSignalCheck(undefined, 'root').answer, 'no');
  });

  test('output_pipe: a large one, a small one, none', () => {
    assert.equal(outputPipeCheck({ capacityBytes: 1_048_576 }).answer, 'yes');
    assert.match(outputPipeCheck({ capacityBytes: 65_536 }).detail, /^only 64 KiB: /);
    assert.match(outputPipeCheck('there is no perl').action ?? '', /^install perl/);
  });

  test('node', () => {
    assert.equal(nodeCheck().answer, 'yes');
    assert.equal(nodeCheck('18.20.4').answer, 'no');
  });
});

describe('privileges', () => {
  const PRINTED = '{"type": "attached_probes", "data": {"probes": 1}}\n{"type": "printf", "data": "ok\\n"}\n';
  const judge = (mode: PrivilegeMode, proof: CommandResult | undefined, credentials = ROOT) => {
    const launcher = { mode, diesWithServer: false, plan: () => ({ command: '', args: [], env: {} }) };
    return privilegesCheck(proof && { launcher, proof }, mode, credentials);
  };
  const user = { ...ROOT, uid: 1000, effective: 0n };

  test('root is enough, unless it lacks the capabilities or the real user namespace', () => {
    assert.equal(judge('root', ended(0, PRINTED)).answer, 'yes');
    assert.equal(judge('root', ended(1)).answer, 'yes', 'what failed is not the privileges');
    assert.equal(judge('root', undefined).answer, 'yes');
    assert.match(judge('root', ended(1), { ...ROOT, effective: 0n }).detail, /without CAP_SYS_ADMIN/);
    assert.equal(judge('root', ended(1), { ...ROOT, effective: every('BPF', 'PERFMON') }).answer, 'yes');
    assert.match(judge('root', ended(1), { ...ROOT, inUserNamespace: true }).detail, /user namespace/);
  });

  test('sudo, as long as it lets bpftrace run without a terminal', () => {
    assert.equal(judge('sudo', ended(0, PRINTED), user).answer, 'yes');
    assert.equal(judge('sudo', undefined, user).answer, 'yes');
    assert.equal(judge('sudo', ended(1, '', 'sudo: a password is required\n'), user).answer, 'no');
    assert.match(judge('sudo_password', ended(0, PRINTED), user).detail, /the password it was given/);
    assert.match(judge('helper', ended(0, PRINTED), user).detail, /helper/);
  });

  test('neither: what happened when it was tried', () => {
    assert.match(judge('none', ended(0, PRINTED), user).detail, /^bpftrace runs for uid 1000 as it is, but/);
    assert.equal(judge('none', ended(0, PRINTED), user).answer, 'no', 'the engine refuses that');
    assert.equal(judge('none', undefined, user).answer, 'unknown');
    assert.equal(judge('none', ended(1), user).answer, 'no');
    assert.match(
      judge('none', ended(1), { ...user, effective: every('BPF', 'PERFMON') }).action ?? '',
      /CAP_DAC_READ_SEARCH/,
    );
  });
});

function ended(exitCode: number, stdout = '', stderr = ''): CommandResult {
  return { exitCode, signal: null, stdout, stderr, timedOut: false, durationMs: 1 };
}

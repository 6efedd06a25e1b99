import { dirname } from 'node:path';
import { SLOT_FOLDER } from './place.js';

/** Children at once, where whoever installs it says nothing. */
export const HELPER_SLOTS = 16;

/** What an installed helper is held to: supervisor.pl enforces it. */
export interface Pins {
  /** The only bpftrace it runs. */
  path: string;
  program_bytes: number;
  /** Longest life of one bpftrace, in seconds. */
  lifetime_s: number;
  /** How long one waits for its program, in seconds. */
  standby_s: number;
  /** How many run at once, and how many may wait for a program beside them. */
  slots: number;
  slot_folder: string;
  /** Alternatives of a regular expression: argument lists, joined by blanks, that compile a program without running it. */
  compile: string;
  /** Variables that may be set, all numbers, and the highest value of each. */
  env: Record<string, number>;
  /** What is set when nothing is asked: the environment wins, so the program's own config block can't raise it. */
  always: Record<string, number>;
  /** Numbers of the capabilities that bpftrace keeps. */
  capabilities: Record<string, number>;
  /** Whether the kernel holds it to the paths below. */
  landlock: number;
  /** Files and folders that can be read; read and run; read and written. */
  read: string[];
  run: string[];
  write: string[];
  /** Folders that are replaced by empty ones of its own, and their size. */
  temp: string[];
  temp_bytes: number;
}

export interface PinChoices {
  bpftracePath: string;
  slots: number;
  maxTimeoutS: number;
  /** Names in user stacks need what Landlock forbids: looking at other processes. */
  userSymbols: boolean;
}

/** Compiling and attaching before a deadline, detaching after it. */
const LIFETIME_SLACK_S = 180;
/** Longer than any server keeps one. */
const STANDBY_S = 900;
const MEBIBYTE = 1_048_576;

/** From the kernel's include/uapi/linux/capability.h. */
const KEPT_CAPABILITIES = {
  // Read what root doesn't own: a group's device, tracefs mounted for a group.
  DAC_READ_SEARCH: 2,
  // Look at processes of other users, for the names in their stacks.
  SYS_PTRACE: 19,
  // Measured: the kernel asks for it at every uprobe, which BEGIN and END are too.
  SYS_ADMIN: 21,
  SYS_RESOURCE: 24,
  // See addresses in /proc/kallsyms.
  SYSLOG: 34,
  PERFMON: 38,
  BPF: 39,
};

const READ = [
  '/sys/kernel/btf',
  '/sys/kernel/tracing',
  '/sys/kernel/debug/tracing',
  '/sys/devices',
  '/sys/bus/event_source',
  '/sys/fs/cgroup',
  '/proc',
  '/boot',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/dev/urandom',
];
const RUN = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64'];

export function pinsFor({ bpftracePath, slots, maxTimeoutS, userSymbols }: PinChoices): Pins {
  const capabilities = Object.values(KEPT_CAPABILITIES).map(number => [number, 1] as const);
  return {
    path: bpftracePath,
    program_bytes: MEBIBYTE,
    lifetime_s: maxTimeoutS + LIFETIME_SLACK_S,
    standby_s: STANDBY_S,
    slots,
    slot_folder: SLOT_FOLDER,
    compile: COMPILE.join('|'),
    env: {
      BPFTRACE_STRLEN: 200,
      BPFTRACE_MAX_STRLEN: 1024,
      BPFTRACE_MAP_KEYS_MAX: 65_536,
      BPFTRACE_MAX_MAP_KEYS: 65_536,
      BPFTRACE_MAX_PROBES: 1024,
      BPFTRACE_MAX_BPF_PROGS: 1024,
      BPFTRACE_PERF_RB_PAGES: 1024,
      BPFTRACE_LOG_SIZE: 4 * MEBIBYTE,
      BPFTRACE_CAT_BYTES_MAX: 10_240,
      BPFTRACE_MAX_CAT_BYTES: 10_240,
      BPFTRACE_NO_CPP_DEMANGLE: 1,
      BPFTRACE_CPP_DEMANGLE: 1,
      BPFTRACE_NO_USER_SYMBOLS: 1,
    },
    always: {
      BPFTRACE_MAX_MAP_KEYS: 4096,
      BPFTRACE_MAX_PROBES: 1024,
      BPFTRACE_MAX_BPF_PROGS: 1024,
      BPFTRACE_PERF_RB_PAGES: 64,
      BPFTRACE_MAX_CAT_BYTES: 10_240,
    },
    capabilities: Object.fromEntries(capabilities),
    landlock: userSymbols ? 0 : 1,
    read: READ,
    run: [...new Set([...RUN, dirname(bpftracePath)])],
    write: ['/dev/null'],
    temp: ['/tmp'],
    temp_bytes: 16 * MEBIBYTE,
  };
}

/** 0.17 and 0.23 compile only with the second, 0.27 with the third; the first prints 0.17's tree. */
const COMPILE = ['-d -', '-f json --emit-elf /dev/null -', '--mode codegen -'];

const PLACE = 'my %PIN = ();';

/** The supervisor's text with the pins filled in. */
export function pinnedText(supervisor: string, pins: Pins): string {
  if (!supervisor.includes(PLACE)) throw new Error('the supervisor has no place for pins');
  const entries = Object.entries(pins).map(([name, value]) => `  ${name} => ${perl(value)},\n`);
  return supervisor.replace(PLACE, () => `my %PIN = (\n${entries.join('')});`);
}

function perl(value: string | number | readonly string[] | Record<string, number>): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return `'${value.replaceAll(/['\\]/g, '\\$&')}'`;
  if (Array.isArray(value)) return `[${value.map(perl).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([key, number]) => `${perl(key)} => ${number}`)
    .join(', ')} }`;
}

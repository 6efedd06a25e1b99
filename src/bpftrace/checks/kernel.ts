import { open, readdir, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Answer } from './types.js';

/** What the kernel itself tells about tracing, read from its files and judged elsewhere. */
export interface KernelFacts {
  release: string;
  /** CONFIG_ names without the prefix; undefined when this kernel publishes no configuration. */
  config: ReadonlyMap<string, string> | undefined;
  tracefs: Tracefs;
  debugfsMounted: boolean;
  /** Names under /sys/bus/event_source/devices; undefined when there are no perf events. */
  eventSources: ReadonlySet<string> | undefined;
  /** Functions ftrace can hook. bpftrace 0.27 takes kprobe and fentry targets from this list only. */
  filterFunctions: FileState;
  kprobeEvents: FileState;
  uprobeEvents: FileState;
  /** debugfs's kprobes/enabled: an administrator can switch all of them off. */
  kprobesEnabled: string | undefined;
  vmlinuxBtf: FileState;
  /** Text of the lockdown file, as in `none [integrity] confidentiality`. */
  lockdown: string | undefined;
  bpfJitEnable: string | undefined;
}

interface Tracefs {
  /** Where it is, readable or not. */
  path: string | undefined;
  /** Its events directory could be listed by this process; root's eyes see more than a plain user's. */
  readable: boolean;
  /** Groups of tracepoints seen, when readable. */
  groups: number;
}

/** `unreadable` also when a directory above it is closed to this process: it may then be absent as well. */
type FileState = 'readable' | 'unreadable' | 'absent';

export const TRACEFS_PATH = '/sys/kernel/tracing';
export const DEBUGFS_PATH = '/sys/kernel/debug';
const TRACEFS_IN_DEBUGFS = `${DEBUGFS_PATH}/tracing`;

export interface Mount {
  path: string;
  type: string;
}

export async function readMounts(): Promise<Mount[]> {
  return parseMounts((await readText('/proc/self/mountinfo')) ?? '');
}

/** `36 35 98:0 / /sys/kernel/tracing rw,… shared:1 - tracefs tracefs rw` (proc_pid_mountinfo(5)). */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap(line => {
    const path = line.split(' ')[4];
    const type = line.split(' - ')[1]?.split(' ')[0];
    // The kernel writes blanks in a path as octal escapes.
    const unescaped = path?.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    return unescaped && type ? [{ path: unescaped, type }] : [];
  });
}

export async function kernelFacts(): Promise<KernelFacts> {
  const [config, mounts, eventSources, lockdown, bpfJitEnable, vmlinuxBtf] = await Promise.all([
    readKernelConfig(),
    readMounts(),
    listDirectory('/sys/bus/event_source/devices'),
    readText('/sys/kernel/security/lockdown'),
    readText('/proc/sys/net/core/bpf_jit_enable'),
    fileState('/sys/kernel/btf/vmlinux'),
  ]);
  const tracefs = await findTracefs(mounts);
  const directory = tracefs.path ?? TRACEFS_PATH;
  const [filterFunctions, kprobeEvents, uprobeEvents, kprobesEnabled] = await Promise.all([
    fileState(`${directory}/available_filter_functions`),
    fileState(`${directory}/kprobe_events`),
    fileState(`${directory}/uprobe_events`),
    readText(`${DEBUGFS_PATH}/kprobes/enabled`),
  ]);
  return {
    release: release(),
    config,
    tracefs,
    debugfsMounted: isMounted(mounts, DEBUGFS_PATH, 'debugfs'),
    eventSources: eventSources && new Set(eventSources),
    filterFunctions,
    kprobeEvents,
    uprobeEvents,
    kprobesEnabled,
    vmlinuxBtf,
    lockdown,
    bpfJitEnable,
  };
}

export function isMounted(mounts: readonly Mount[], path: string, type: string): boolean {
  return mounts.some(mount => mount.path === path && mount.type === type);
}

/** A configuration that was read and does not name an option has it off: options without their
 *  dependencies are left out of the file. */
export function configSays(config: ReadonlyMap<string, string> | undefined, option: string): Answer {
  if (config === undefined) return 'unknown';
  const value = config.get(option);
  return value === 'y' || value === 'm' ? 'yes' : 'no';
}

export function parseKernelConfig(text: string): Map<string, string> {
  return new Map(
    Array.from(text.matchAll(/^CONFIG_(\w+)=(.*)$/gm), ([, name = '', value = '']) => [name, value]),
  );
}

/** "kernel at least 5.11" decides whether memory for BPF counts against RLIMIT_MEMLOCK. */
export function kernelAtLeast(text: string, major: number, minor: number): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(text);
  if (!match) return undefined;
  const [have, haveMinor] = [Number(match[1]), Number(match[2])];
  return have > major || (have === major && haveMinor >= minor);
}

async function readKernelConfig(): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const text = await promisify(gunzip)(await readFile('/proc/config.gz'));
    return parseKernelConfig(text.toString());
  } catch {
    // Most distributions ship it as a file instead: Debian in /boot, Fedora and ostree beside the modules.
  }
  for (const path of [`/boot/config-${release()}`, `/lib/modules/${release()}/config`]) {
    const text = await readText(path);
    if (text !== undefined) return parseKernelConfig(text);
  }
  return undefined;
}

/** Listing comes first: looking into debugfs's tracing directory is what mounts tracefs there. */
async function findTracefs(mounts: readonly Mount[]): Promise<Tracefs> {
  for (const path of [TRACEFS_PATH, TRACEFS_IN_DEBUGFS]) {
    const groups = await countDirectories(`${path}/events`);
    if (groups !== undefined) return { path, readable: true, groups };
  }
  const path = [TRACEFS_PATH, TRACEFS_IN_DEBUGFS].find(path => isMounted(mounts, path, 'tracefs'));
  return { path, readable: false, groups: 0 };
}

async function countDirectories(path: string): Promise<number | undefined> {
  try {
    return (await readdir(path, { withFileTypes: true })).filter(entry => entry.isDirectory()).length;
  } catch {
    return undefined;
  }
}

async function listDirectory(path: string): Promise<string[] | undefined> {
  try {
    return await readdir(path);
  } catch {
    return undefined;
  }
}

export async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

/** By opening it: under lockdown the kernel refuses the open(2) of files whose mode lets root read them. */
async function fileState(path: string): Promise<FileState> {
  try {
    await (await open(path, 'r')).close();
    return 'readable';
  } catch (error) {
    return isMissing(error) ? 'absent' : 'unreadable';
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { VERSION } from '../src/version.js';
import { BPFTRACE } from '../test/support/server.js';
import { peerVersion } from './peer/peer.js';

/** What a figure depends on beside the code: told with every run. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  /** Of one minute, before the first bench. */
  load: number;
  node: string;
  bpftrace: string;
  ours: string;
  /** Absent: not installed. */
  peer?: string;
  /** What the environment sets of the server. */
  settings: Record<string, string>;
}

export function machineNow(): Machine {
  const peer = peerVersion();
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    load: loadNow(),
    node: process.version,
    bpftrace: execFileSync(BPFTRACE, ['--version'], { encoding: 'utf8' })
      .trim()
      .replace(/^bpftrace /, ''),
    ours: VERSION,
    ...(peer !== undefined && { peer }),
    settings: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        name.startsWith('BPFTRACE_MCP_') && value !== undefined ? [[name, value]] : [],
      ),
    ),
  };
}

export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

/** `0.17` of `v0.17.0`: what differs between versions differs between these. */
export function releaseOf({ bpftrace }: Machine): string {
  return /\d+\.\d+/.exec(bpftrace)?.[0] ?? bpftrace;
}

/** Someone else's work: a ratio still holds, its spread grows. */
const QUIET_LOAD_PER_CORE = 0.25;

export function machineLines(machine: Machine): string[] {
  const { settings, cores, load } = machine;
  const set = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return [
    `machine: ${cores} × ${machine.processor}, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, load ${load.toFixed(2)}`,
    ...(load > cores * QUIET_LOAD_PER_CORE
      ? ['  not quiet: ratios are of pairs and stand it, but spreads are wide']
      : []),
    `versions: bpftrace-mcp ${machine.ours}, node ${machine.node}, bpftrace ${machine.bpftrace}, MCPtrace ${machine.peer ?? 'not installed (npm run bench:peers)'}`,
    `configuration: ${set.length > 0 ? set.join(' ') : 'the defaults'}`,
  ];
}

import { bpftracesOf } from '../support/processes.js';
import type { ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';

/** For anything that has to come, on a machine that is busy with something else. */
export const BOUND_MS = 30_000;

/** A fault that is made to happen to a real server, and what becomes of it. */
export interface Fault {
  fault: string;
  /** What its client sees, in the words of the README. */
  seen: string;
  flags?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Why it can't be made to happen here. */
  skip?: string;
  /** In place of Node. */
  node?: string;
  /** A bpftrace stands by for each program; with the others none does. */
  standby?: number;
  /** The hints of its failure start the thread that lists probes: it is started before. */
  listsProbes?: true;
  /** Dead children that nobody can reap before the server ends. */
  zombies?: number;
  /** The server itself ends of it; else it goes on. */
  endsServer?: true;
  /** Makes it happen, and asserts what is seen. */
  happen: (server: ServerUnderTest, report: FaultReport) => Promise<void>;
}

interface FaultReport {
  /** A figure for the test's report. */
  say: (figure: string) => void;
  /** A child that must not outlive the server. */
  watch: (pid: number) => void;
}

/** The process of the server's one program, as soon as it is there. */
export async function childOf(server: ServerUnderTest): Promise<number> {
  return until('bpftrace is started', BOUND_MS, () => bpftracesOf(server.pid)[0]?.pid);
}

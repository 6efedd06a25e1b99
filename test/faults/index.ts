import { BPFTRACE_FAULTS } from './bpftrace.js';
import { CLIENT_FAULTS } from './client.js';
import type { Fault } from './fault.js';
import { SERVER_FAULTS } from './server.js';
import { STANDBY_FAULTS } from './standby.js';
import { TRACEFS_FAULTS } from './tracefs.js';
import { BPFTRACE_WANTS, SERVER_WANTS } from './want.js';

/** What becomes of them depends on bpftrace's version. */
export const BPFTRACE_ROWS: readonly Fault[] = [...BPFTRACE_FAULTS, ...BPFTRACE_WANTS, ...TRACEFS_FAULTS];
export const SERVER_ROWS: readonly Fault[] = [
  ...STANDBY_FAULTS,
  ...SERVER_WANTS,
  ...SERVER_FAULTS,
  ...CLIENT_FAULTS,
];
const FAULTS: readonly Fault[] = [...BPFTRACE_ROWS, ...SERVER_ROWS];

/** Those that stand beside the tests of what they hit. */
const ELSEWHERE: readonly (Pick<Fault, 'fault' | 'seen'> & { where: string })[] = [
  {
    fault: 'bpftrace ignores SIGINT, or crashes (SIGSEGV)',
    seen: '`unresponsive`; `died`, "a fault of its own"',
    where: 'workers/trace',
  },
  {
    fault: 'bpftrace closes its output early, prints torn records, a key of 30 MB',
    seen: 'the rest is there; what was cut is counted',
    where: 'workers/trace-output',
  },
  {
    fault: 'bpftrace can not be started: no descriptors left (EMFILE), not there, not a program',
    seen: '`start_failed`, and what to do',
    where: 'workers/trace',
  },
  {
    fault: 'a worker thread crashes while others run',
    seen: '`worker_crashed`; the others run on',
    where: 'shutdown-crash, workers/trace-thread',
  },
  {
    fault: 'the server crashes or is killed, while programs run or start',
    seen: 'no bpftrace is left',
    where: 'shutdown-crash',
  },
  {
    fault: 'any pipe of the client breaks',
    seen: 'as when standard input ends',
    where: 'shutdown',
  },
  {
    fault: 'the disk of the audit file is full, its folder gone',
    seen: 'logged and counted; with `--audit-required`, programs are refused',
    where: 'audit',
  },
];

export const FAULT_ROWS: readonly { fault: string; seen: string; where: string }[] = [
  ...FAULTS.map(({ fault, seen }) => ({ fault, seen, where: 'faults' })),
  ...ELSEWHERE,
];

import { type ChildProcess, execFile } from 'node:child_process';
import { SupervisorTalk } from '../../src/contract/supervisor.js';
import type { SpawnPlan } from '../../src/contract/trace.js';

/** Everything of a host with 150,000 probes is some 8 MB, every function of a large binary as much. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const BOUND_MS = 60_000;

export interface Output {
  stdout: string;
  stderr: string;
  /** Exit status; null when it was ended by the bound, or could not be started. */
  status: number | null;
}

const running = new Set<ChildProcess>();

/** Runs a bpftrace that only lists, and gives back what it printed. Never rejects. */
export function run(plan: SpawnPlan): Promise<Output> {
  const options = {
    env: plan.env,
    cwd: '/',
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: BOUND_MS,
    killSignal: 'SIGKILL' as const,
  };
  return new Promise(resolve => {
    let talk: SupervisorTalk | undefined;
    let said = '';
    const child = execFile(plan.command, plan.args, options, (error, stdout, stderr) => {
      running.delete(child);
      talk?.close();
      const words = talk ? said + talk.rest().toString() : stderr;
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ stdout, stderr: words || (error && status === null ? error.message : ''), status });
    });
    running.add(child);
    child.stdin?.on('error', () => {}); // It may have ended before.
    if (plan.supervised) {
      talk = new SupervisorTalk(plan.supervised, '', bytes =>
        bytes ? child.stdin?.write(bytes) : child.stdin?.end(),
      );
      child.stderr?.on('data', (chunk: string) => {
        said += talk?.heard(Buffer.from(chunk)).toString();
      });
    } else {
      child.stdin?.end();
    }
  });
}

/** Ends what still runs: by SIGTERM, or where a supervisor is in between by leaving it. */
export function endAll(): void {
  for (const child of running) {
    child.stdin?.end();
    child.kill('SIGTERM');
  }
}

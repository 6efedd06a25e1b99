import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const AGENTS = fileURLToPath(new URL('agents.js', import.meta.url));
/** An agent's programs have these numbers, from its own number times this on. */
export const NUMBERS_EACH = 1000;

/** What a process of agents is to do. */
export interface AgentsTask {
  url: string;
  /** In place of the URL's host. */
  socketPath?: string;
  clients: number;
  /** The number of its first agent: no two of a fleet have the same. */
  first: number;
  /** Of each agent; none: without. */
  tokens: string[];
  programs: number;
  /** Programs that an agent has under way. */
  atOnce: number;
}

interface Done {
  ids: string[];
  latenciesMs: { kind: string; ms: number }[];
  busy: number;
}

/** What it tells, step by step. */
export type AgentsReport = { connected: number } | { done: Done } | { wrong: string[] };

export interface FleetOutcome extends Done {
  wrong: string[];
  /** From the first program to the last result. */
  tookMs: number;
}

/** Several processes of agents, from the greeting to what each of them saw. */
export async function runFleet(tasks: readonly AgentsTask[], boundMs: number): Promise<FleetOutcome> {
  const crews = tasks.map(task => new Crew(task));
  const overdue = setTimeout(() => {
    for (const crew of crews) crew.kill();
  }, boundMs);
  try {
    await Promise.all(crews.map(crew => crew.told('connected')));
    const begun = performance.now();
    const done = await Promise.all(crews.map(crew => crew.ask({ go: true }, 'done')));
    const tookMs = performance.now() - begun;
    // One of each crew's for every crew.
    const sample = done.map(({ done: { ids } }) => ids.filter((_, at) => at % 7 === 0));
    const checked = await Promise.all(
      crews.map((crew, at) => crew.ask({ foreign: sample.filter((_, from) => from !== at).flat() }, 'wrong')),
    );
    return {
      tookMs,
      ids: done.flatMap(({ done: { ids } }) => ids),
      latenciesMs: done.flatMap(({ done: { latenciesMs } }) => latenciesMs),
      busy: done.reduce((sum, { done: { busy } }) => sum + busy, 0),
      wrong: checked.flatMap(({ wrong }) => wrong),
    };
  } finally {
    clearTimeout(overdue);
    for (const crew of crews) crew.kill();
  }
}

class Crew {
  private readonly child: ChildProcess;
  private readonly reports: AgentsReport[] = [];
  private wake: () => void = () => {};
  private code: number | null | undefined;

  constructor(task: AgentsTask) {
    this.child = fork(AGENTS, [JSON.stringify(task)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', report => {
      this.reports.push(report as AgentsReport);
      this.wake();
    });
    this.child.once('exit', code => {
      this.code = code;
      this.wake();
    });
  }

  ask<Key extends KeyOfReport>(
    message: object,
    key: Key,
  ): Promise<Extract<AgentsReport, Record<Key, unknown>>> {
    this.child.send(message);
    return this.told(key);
  }

  async told<Key extends KeyOfReport>(key: Key): Promise<Extract<AgentsReport, Record<Key, unknown>>> {
    for (;;) {
      const report = this.reports.find(
        (one): one is Extract<AgentsReport, Record<Key, unknown>> => key in one,
      );
      if (report) return report;
      if (this.code !== undefined)
        throw new Error(`a process of agents ended with ${this.code} before it was ${key}`);
      await new Promise<void>(resolve => {
        this.wake = resolve;
      });
    }
  }

  kill(): void {
    if (this.code === undefined) this.child.kill('SIGKILL');
  }
}

type KeyOfReport = 'connected' | 'done' | 'wrong';

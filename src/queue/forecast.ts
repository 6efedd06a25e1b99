import { firstInTurn, type Job, type Line, type Ticket } from './line.js';

/** How long jobs take, as far as one knows. */
export interface Times<J> {
  /** Of one that runs: until its slot is free. */
  leftMs(job: J): number;
  /** Of one that waits: how long it will hold its slot. */
  expectedMs(job: J): number;
}

export interface Forecast {
  /** 1 is next. */
  position: number;
  startsInMs: number;
}

interface State<J extends Job> {
  slots: number;
  turns: number;
  lines: ReadonlyMap<string, Line<J>>;
  running: readonly { job: J; tickets: readonly Ticket<J>[] }[];
  ticketsOf: (job: J) => readonly Ticket<J>[];
  times: Times<J>;
}

/** Plays the queue's own rule forward on copies of its lines: slots become free as `times` has it. */
export function forecastOf<J extends Job>(state: State<J>): Map<J, Forecast> {
  const { times, ticketsOf } = state;
  const lines = new Map(
    [...state.lines].map(([client, line]) => [client, { ...line, waiting: [...line.waiting] }]),
  );
  const ends = state.running.map(({ job, tickets }) => ({ atMs: times.leftMs(job), tickets }));
  const started = new Map<J, Forecast>();
  let { turns } = state;
  let nowMs = 0;
  for (;;) {
    const ticket = ends.length < state.slots ? firstInTurn(lines.values()) : undefined;
    if (ticket) {
      const { job } = ticket;
      const tickets = ticketsOf(job);
      for (const { client } of tickets) {
        const line = lines.get(client);
        if (!line) continue;
        line.waiting.splice(
          line.waiting.findIndex(other => other.job === job),
          1,
        );
        line.holds++;
        line.turn = ++turns;
      }
      started.set(job, { position: started.size + 1, startsInMs: nowMs });
      ends.push({ atMs: nowMs + times.expectedMs(job), tickets });
      continue;
    }
    const next = earliest(ends);
    if (!next) return started;
    ends.splice(ends.indexOf(next), 1);
    nowMs = Math.max(nowMs, next.atMs);
    for (const { client } of next.tickets) {
      const line = lines.get(client);
      if (line) line.holds--;
    }
  }
}

function earliest<E extends { atMs: number }>(ends: readonly E[]): E | undefined {
  let first: E | undefined;
  for (const end of ends) if (!first || end.atMs < first.atMs) first = end;
  return first;
}

/** Something that takes a slot until its promise settles, either way; a rejection is the job's own business. */
export interface Job {
  run(): Promise<void>;
}

/** A client's place at a job. */
export interface Ticket<J extends Job = Job> {
  readonly job: J;
  readonly client: string;
  /** Within the client, the higher first. */
  readonly priority: number;
  /** So many slots the client may hold when this ticket is served. */
  readonly runningMax: number;
}

/** What a client has in the queue. */
export interface Line<J extends Job> {
  /** In the order in which they are to be served. */
  waiting: Ticket<J>[];
  /** Slots. */
  holds: number;
  /** The older, the lower. */
  turn: number;
}

/** The ticket to serve next; undefined when no client waits that may be served. */
export function firstInTurn<J extends Job>(lines: Iterable<Line<J>>): Ticket<J> | undefined {
  let first: Line<J> | undefined;
  for (const line of lines) {
    const [ticket] = line.waiting;
    if (!ticket || line.holds >= ticket.runningMax) continue;
    if (!first || line.holds < first.holds || (line.holds === first.holds && line.turn < first.turn))
      first = line;
  }
  return first?.waiting[0];
}

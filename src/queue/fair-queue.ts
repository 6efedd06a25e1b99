import { type Forecast, forecastOf, type Times } from './forecast.js';
import { firstInTurn, type Job, type Line, type Ticket } from './line.js';

interface Held<J extends Job> {
  tickets: Set<Ticket<J>>;
  isRunning: boolean;
}

/**
 * Slots, shared fairly between clients. It knows nothing of programs or workers.
 *
 *   Each client has a line of its own, in which higher priorities stand first, and those of equal priority in the
 *   order they came. A free slot goes to the client that holds the fewest slots at that moment; among those that
 *   hold equally few, to the one whose turn is the oldest. A client's turn is renewed whenever it gets a slot, and
 *   a client that had nothing here comes with a new one.
 *
 *   So a client that holds nothing is overtaken by each other client once at most: whoever was served before it
 *   has a newer turn then. However many programs another client has in its line, they delay it by one slot. And
 *   slots that are held count, so a client of long programs does not take them all from one of short ones.
 *
 *   A job can stand in the lines of several clients: the first of them whose turn it is starts it for all, and
 *   each of them holds its slot until it leaves it or the job is over. Joining a job that runs costs no turn.
 *
 *   A client's own bound (`runningMax`) keeps it from being served while it holds so many; others go ahead. Whoever is
 *   taken along at another's turn is not held back by it.
 */
export class FairQueue<J extends Job> {
  /** Another one than before: the order of what waits may be another. */
  version = 0;
  private readonly lines = new Map<string, Line<J>>();
  private readonly held = new Map<J, Held<J>>();
  private turns = 0;
  private runningJobs = 0;
  private waitingTickets = 0;

  constructor(
    private slotsNow: number,
    /** Tickets that may wait. */
    readonly limit: number,
  ) {}

  get slots(): number {
    return this.slotsNow;
  }

  /** With fewer, what runs runs on, and nothing starts until that many are held. */
  set slots(slots: number) {
    this.slotsNow = slots;
    this.fill();
  }

  /** Tickets that wait. */
  get length(): number {
    return this.waitingTickets;
  }

  /** Jobs that hold a slot. */
  get running(): number {
    return this.runningJobs;
  }

  /** Clients that wait or hold something. */
  get clients(): number {
    return this.lines.size;
  }

  /**
   * Whether {@link offer} would take this client's next job. Beyond the limit, a client that has nothing in its line
   * still may wait with one: the programs of others never keep it out.
   */
  hasRoom(client: string, runningMax: number): boolean {
    const line = this.lines.get(client);
    const waiting = line?.waiting.length ?? 0;
    if (this.runningJobs < this.slotsNow && waiting === 0 && (line?.holds ?? 0) < runningMax) return true;
    return this.waitingTickets < this.limit || (this.limit > 0 && waiting === 0);
  }

  /**
   * A ticket for a job, new or one that waits or runs already. False when as many wait as may: it was not taken. A
   * job that finds a free slot starts before this returns.
   */
  offer(ticket: Ticket<J>): boolean {
    const held = this.held.get(ticket.job);
    if (!held?.isRunning && !this.hasRoom(ticket.client, ticket.runningMax)) return false;
    const line = this.lineOf(ticket.client);
    if (held) held.tickets.add(ticket);
    else this.held.set(ticket.job, { tickets: new Set([ticket]), isRunning: false });
    if (held?.isRunning) {
      line.holds++;
    } else {
      // From behind, where its place nearly always is.
      const before = line.waiting.findLastIndex(other => other.priority >= ticket.priority);
      line.waiting.splice(before + 1, 0, ticket);
      this.waitingTickets++;
    }
    this.fill();
    return true;
  }

  /** Gives a ticket back. True if its job waited for nobody else, and now never runs. */
  leave(ticket: Ticket<J>): boolean {
    const held = this.held.get(ticket.job);
    if (!held?.tickets.delete(ticket)) return false;
    this.release(ticket, held.isRunning);
    const isOver = !held.isRunning && held.tickets.size === 0;
    if (isOver) this.held.delete(ticket.job);
    this.fill();
    return isOver;
  }

  /** Slots that a client holds. */
  holds(client: string): number {
    return this.lines.get(client)?.holds ?? 0;
  }

  /** When each job that waits would start, and in which order, if nothing came and nothing left. */
  forecast(times: Times<J>): Map<J, Forecast> {
    const running = [...this.held].filter(([, { isRunning }]) => isRunning);
    return forecastOf({
      slots: this.slotsNow,
      turns: this.turns,
      lines: this.lines,
      running: running.map(([job, { tickets }]) => ({ job, tickets: [...tickets] })),
      ticketsOf: job => [...(this.held.get(job)?.tickets ?? [])],
      times,
    });
  }

  private lineOf(client: string): Line<J> {
    const known = this.lines.get(client);
    if (known) return known;
    const line: Line<J> = { waiting: [], holds: 0, turn: ++this.turns };
    this.lines.set(client, line);
    return line;
  }

  private release(ticket: Ticket<J>, wasRunning: boolean): void {
    const line = this.lines.get(ticket.client);
    if (!line) return;
    if (wasRunning) {
      line.holds--;
    } else {
      line.waiting.splice(line.waiting.indexOf(ticket), 1);
      this.waitingTickets--;
    }
    if (line.holds === 0 && line.waiting.length === 0) this.lines.delete(ticket.client);
  }

  private fill(): void {
    this.version++;
    while (this.runningJobs < this.slotsNow) {
      const ticket = firstInTurn(this.lines.values());
      if (!ticket) return;
      this.start(ticket.job);
    }
  }

  private start(job: J): void {
    const held = this.held.get(job);
    if (!held) return;
    held.isRunning = true;
    this.runningJobs++;
    for (const ticket of held.tickets) {
      const line = this.lineOf(ticket.client);
      line.waiting.splice(line.waiting.indexOf(ticket), 1);
      this.waitingTickets--;
      line.holds++;
      line.turn = ++this.turns;
    }
    const settled = (): void => {
      this.runningJobs--;
      this.held.delete(job);
      for (const ticket of held.tickets) this.release(ticket, true);
      this.fill();
    };
    void job.run().then(settled, settled);
  }
}

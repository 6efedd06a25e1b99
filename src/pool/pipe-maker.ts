import { closeSync } from 'node:fs';
import { makePipes } from '../bpftrace/output-pipes.js';
import { PIPES_MAX, PipeStock } from '../contract/pipe-stock.js';

/** The kernel grants a user 64 MiB of pipes; it is for root alone to take more than a part of that. */
const PIPES_OF_A_USER = 16;

/** Fills the stock of pipes when they are first needed, and again where some were spoilt. */
export class PipeMaker {
  readonly stock = new PipeStock();
  /** In the stock, or with a worker. */
  private held = 0;
  private making: Promise<void> | undefined;
  /** Why there are none: Node's own have to do. */
  problem: string | undefined;
  private isClosed = false;

  /** @param wanted as many as children run at once */
  constructor(private readonly wanted: number) {}

  /** Resolves when there are some, or will be none. */
  async ready(): Promise<void> {
    if (this.held === 0 && this.problem === undefined) await this.fill();
  }

  /** After a child has ended: closes what it spoilt, and sees to others in its place. */
  mend(): void {
    const spoilt = this.stock.takeOut('spoilt');
    for (const keeper of spoilt) closeSync(keeper);
    this.held -= spoilt.length;
    if (spoilt.length > 0 && this.problem === undefined && !this.isClosed) void this.fill();
  }

  /** After a thread has crashed: what it held is nobody's. @param living the numbers of the threads that are there */
  disown(living: ReadonlySet<number>): void {
    this.stock.spoilOrphans(living);
    this.mend();
  }

  /** When no worker is left. */
  close(): void {
    this.isClosed = true;
    this.mend();
    for (const keeper of this.stock.takeOut('free')) closeSync(keeper);
  }

  private fill(): Promise<void> {
    this.making ??= this.make().finally(() => {
      this.making = undefined;
    });
    return this.making;
  }

  private async make(): Promise<void> {
    const most = Math.min(this.wanted, process.geteuid?.() === 0 ? PIPES_MAX : PIPES_OF_A_USER);
    try {
      for (const { keeper, capacityBytes } of await makePipes(most - this.held)) {
        if (!this.isClosed && this.stock.add(keeper, capacityBytes)) this.held++;
        else closeSync(keeper);
      }
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }
}

/** How each item of the input came out; `skipped`: its result was there already. */
export type Outcome = 'completed' | 'failed' | 'stopped' | 'refused' | 'skipped';

const BAR_CHARACTERS = 24;
const REFRESH_MS = 200;

/** How far a batch has come: a bar on a terminal, a line for each result elsewhere. All of it on standard error. */
export class BatchProgress {
  private readonly live = Boolean(process.stderr.isTTY);
  private readonly counts: Record<Outcome, number> = {
    completed: 0,
    failed: 0,
    stopped: 0,
    refused: 0,
    skipped: 0,
  };
  private readonly begunAt = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private running = 0;

  /** @param total items in all; undefined where that is not known */
  constructor(private readonly total: number | undefined) {}

  /** From now on the bar is drawn, until {@link close}. */
  start(): void {
    if (this.live) this.timer = setInterval(() => this.draw(), REFRESH_MS);
  }

  begin(): void {
    this.running++;
  }

  /** One that was begun has no result. */
  drop(): void {
    this.running--;
  }

  end(outcome: Outcome, what: string): void {
    if (outcome !== 'skipped') this.running--;
    this.counts[outcome]++;
    if (this.live || outcome === 'skipped') return;
    process.stderr.write(`${this.done}${this.ofTotal} ${what}\n`);
  }

  /** Takes the bar away, so that something else can be written. */
  clear(): void {
    if (this.live) process.stderr.write('\r\x1b[2K');
  }

  say(text: string): void {
    this.clear();
    process.stderr.write(`bpftrace-mcp batch: ${text}\n`);
  }

  close(interrupted: boolean): void {
    clearInterval(this.timer);
    this.clear();
    const { skipped, ...others } = this.counts;
    const told = Object.entries(others).filter(([, count]) => count > 0);
    const parts = [
      told.length > 0 ? told.map(([name, count]) => `${count} ${name}`).join(', ') : 'nothing was run',
      ...(skipped > 0 ? [`${skipped} were there already`] : []),
      ...(interrupted ? ['interrupted: the others have no result'] : []),
    ];
    process.stderr.write(`${parts.join('; ')}\n`);
  }

  get hasFailures(): boolean {
    return this.counts.failed + this.counts.refused > 0;
  }

  private get done(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  private get ofTotal(): string {
    return this.total === undefined ? '' : `/${this.total}`;
  }

  private draw(): void {
    const { done, total, running, counts } = this;
    const bad = counts.failed + counts.refused;
    const filled = total ? Math.floor((done / total) * BAR_CHARACTERS) : 0;
    const bar = total ? `[${'#'.repeat(filled).padEnd(BAR_CHARACTERS, '.')}] ` : '';
    const line = `${bar}${done}${this.ofTotal}, ${running} running${bad > 0 ? `, ${bad} failed` : ''}${this.left}; Ctrl-C stops`;
    process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  }

  /** As fast as so far. */
  private get left(): string {
    const { done, total, counts } = this;
    const run = done - counts.skipped;
    if (!total || run === 0) return '';
    const leftS = Math.round((((performance.now() - this.begunAt) / run) * (total - done)) / 1000);
    return leftS < 90 ? `, about ${leftS} s left` : `, about ${Math.round(leftS / 60)} min left`;
  }
}

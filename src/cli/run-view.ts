import { diagnosticLines } from '../results/diagnostic-text.js';
import { lossText } from '../results/loss-text.js';
import type { Result } from '../results/result.js';
import { renderMap } from './render.js';

interface RunViewOptions {
  json: boolean;
  /** Whoever read our output has gone (`| head`). */
  onBrokenPipe: () => void;
}

const REFRESH_MS = 100;
/** With no status line to keep alive there is nothing to wake for but news. */
const NO_REFRESH_MS = 60_000;

/**
 * What `run` prints. Results go to standard output and nothing else does; the status line, losses and
 * diagnostics go to standard error, and the status line only to a terminal.
 */
export class RunView {
  readonly refreshMs: number;
  private readonly live: boolean;
  private statusShown = false;
  private broken = false;

  constructor(private readonly options: RunViewOptions) {
    this.live = Boolean(process.stderr.isTTY && process.stdout.isTTY) && !options.json;
    this.refreshMs = this.live ? REFRESH_MS : NO_REFRESH_MS;
    process.stdout.on('error', () => {
      if (!this.broken) options.onBrokenPipe();
      this.broken = true;
    });
  }

  /** The lines of `result`, which was asked for from `offset` on. */
  show(result: Result, offset: number): void {
    this.clearStatus();
    if (result.offset > offset)
      this.note(`${result.offset - offset} lines were overwritten before they could be shown`);
    const lines = result.output.map((line, i) =>
      this.options.json ? JSON.stringify({ type: 'line', seq: result.offset + i, text: line }) : line,
    );
    this.print(lines);
    if (this.live && !result.ended_by) this.showStatus(result);
  }

  end(result: Result): void {
    this.clearStatus();
    if (this.options.json) {
      const {
        output: _lines,
        offset: _offset,
        next_offset: _next,
        has_more: _more,
        lines_returned: _count,
        ...rest
      } = result;
      this.print([JSON.stringify({ type: 'result', ...rest })]);
      return;
    }
    if (result.lines_total > 0 && result.maps.length > 0) this.print(['']);
    this.print(result.maps.flatMap(renderMap));
    for (const line of diagnosticLines(result.diagnostics)) this.note(line);
    // Lines were shown as they came, before newer ones overwrote them.
    const lost = lossText({ ...result.losses, lines_dropped: undefined, lines_truncated: undefined });
    if (lost) this.note(lost);
    if (result.error_message)
      this.note(`${result.status}${result.reason ? ` (${result.reason})` : ''}: ${result.error_message}`);
  }

  private showStatus(result: Result): void {
    const { status, duration, timeout, lines_total: lines, attached_probes: probes } = result;
    const time =
      status === 'running' ? `${duration.toFixed(1)} s of ${timeout} s` : `${duration.toFixed(1)} s`;
    const attached = probes === undefined ? '' : `, ${probes} probe${probes === 1 ? '' : 's'}`;
    const lost = result.lost_events > 0 ? `, ${result.lost_events} events lost` : '';
    const what = result.ending ? 'ending' : status;
    const line = `${what} ${time}${attached}, ${lines} line${lines === 1 ? '' : 's'}${lost}; Ctrl-C stops and prints the maps`;
    process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    this.statusShown = true;
  }

  private clearStatus(): void {
    if (this.statusShown) process.stderr.write('\r\x1b[2K');
    this.statusShown = false;
  }

  private note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  private print(lines: readonly string[]): void {
    if (lines.length > 0 && !this.broken) process.stdout.write(`${lines.join('\n')}\n`);
  }
}

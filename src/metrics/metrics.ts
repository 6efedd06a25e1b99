import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EndReport, EngineState, Submission } from '../engine/index.js';
import { VERSION } from '../version.js';

/** From the wait for a free slot to the longest deadlines, in s. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** What is counted elsewhere and only looked at when somebody asks. */
interface Sources {
  state: () => EngineState;
  sessions: () => number;
}

/**
 * The server's numbers, as Prometheus reads them. They are told what happens by the engine's own events, and look at
 * the rest when they are asked for. No label has anything that a caller wrote, or says whose it is: codes, statuses and
 * reasons of ours, so that there are a bounded number of series.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly submissions = this.counter('submissions_total', 'programs handed in', [
    'kind',
    'decision',
  ]);
  private readonly shared = this.counter(
    'shared_executions_total',
    'executions that joined the child of another',
  );
  private readonly executions = this.counter('executions_total', 'executions that ended, by how', [
    'status',
    'ended_by',
    'reason',
  ]);
  private readonly wait = this.histogram('execution_wait_seconds', 'time in the queue');
  private readonly run = this.histogram(
    'execution_run_seconds',
    'time traced; of a failed start, until it failed',
  );
  private readonly lines = this.counter('lines_total', 'lines that programs printed');
  private readonly linesDropped = this.counter('lines_dropped_total', 'lines overwritten by newer ones');
  private readonly eventsLost = this.counter('events_lost_total', 'events dropped by the kernel');
  private readonly standbysLost = this.counter(
    'standbys_lost_total',
    'bpftraces that stood by and were of no use',
  );
  private readonly httpRefusals = this.counter(
    'http_refusals_total',
    'requests refused before the protocol',
    ['status'],
  );

  /** Measures the event loop from now on. */
  constructor() {
    collectDefaultMetrics({ register: this.registry });
    const info = { version: VERSION };
    this.gauge('build_info', 'which version it is; always 1', () => 1, info);
  }

  /** Where the rest is. Once. */
  observe({ state, sessions }: Sources): void {
    const look = (name: string, help: string, read: (state: EngineState) => number): void =>
      this.gauge(name, help, () => read(state()));
    look('ready', '1: programs are taken; 0: /readyz says why not', ({ obstacles }) =>
      Number(obstacles.length === 0),
    );
    look('queue_length', 'executions that wait', ({ queued }) => queued);
    look('running', 'children that run a program', ({ running }) => running);
    look('clients', 'clients that wait or run something', ({ clients }) => clients);
    look('slots', 'children that may run at once now', ({ slots }) => slots);
    look('slots_max', 'children that may ever run at once', ({ slotsMost }) => slotsMost);
    look('worker_threads', 'threads of the pool', ({ threads }) => threads);
    look('standbys', 'bpftraces that wait for a program', ({ standby }) => standby);
    look('results', 'finished executions kept', ({ finished }) => finished);
    look('results_bytes', 'memory that they take', ({ finishedBytes }) => finishedBytes);
    this.gauge('sessions', 'MCP sessions over HTTP and the Unix socket', sessions);
    if (!state().audit) return;
    const audit = () => state().audit;
    this.total('audit_lines_total', 'lines written to the audit file', () => audit()?.written ?? 0);
    this.total('audit_lines_failed_total', 'lines that could not be written', () => audit()?.failed ?? 0);
  }

  submitted({ kind, decision, childOf }: Submission): void {
    this.submissions.inc({ kind, decision });
    if (childOf !== undefined) this.shared.inc();
  }

  ended(report: EndReport): void {
    const { status, endedBy = '', reason = '', execution, childOf = execution } = report;
    this.executions.inc({ status, ended_by: endedBy, reason });
    this.wait.observe(report.queuedMs / 1000);
    // What one child did is counted once, whoever shared it.
    if (childOf !== execution) return;
    this.run.observe(report.tracedMs / 1000);
    this.lines.inc(report.lines);
    this.linesDropped.inc(report.linesDropped);
    this.eventsLost.inc(report.lostEvents);
  }

  standbyLost(): void {
    this.standbysLost.inc();
  }

  httpRefused(status: number): void {
    this.httpRefusals.inc({ status });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  private counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: nameOf(name), help, labelNames, registers: [this.registry] });
  }

  /** One that is counted elsewhere. */
  private total(name: string, help: string, read: () => number): void {
    new Counter({
      name: nameOf(name),
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  private histogram(name: string, help: string): Histogram {
    return new Histogram({ name: nameOf(name), help, buckets: SECONDS, registers: [this.registry] });
  }

  private gauge(name: string, help: string, read: () => number, labels: Record<string, string> = {}): void {
    new Gauge({
      name: nameOf(name),
      help,
      labelNames: Object.keys(labels),
      registers: [this.registry],
      collect() {
        this.set(labels, read());
      },
    });
  }
}

function nameOf(name: string): string {
  return `bpftrace_mcp_${name}`;
}

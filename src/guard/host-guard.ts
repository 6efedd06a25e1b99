import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { monotonicMs } from '../contract/cell.js';
import { GUARDED, type Guarded, type GuardLimits } from './limits.js';

/** The kernel's own averages change every 2 s. */
const FRESH_MS = 1000;
const MIB = 1024;

/** What was read; absent: this kernel does not tell. Units as in limits.ts. */
export type Readings = Partial<Record<Guarded, number>>;

/** Says when the machine is in distress: four small files of /proc, read at most once a second. */
export class HostGuard {
  private last: { at: number; readings: Readings } | undefined;

  /** @param proc where /proc is */
  constructor(
    readonly limits: GuardLimits,
    private readonly proc = '/proc',
  ) {}

  get isOff(): boolean {
    return Object.keys(this.limits).length === 0;
  }

  /** What is beyond its limit, in words; undefined: nothing is, or this kernel does not tell. */
  distress(): string | undefined {
    if (this.isOff) return undefined;
    const readings = this.readings();
    const beyond = GUARDED.filter(name => isBeyond(name, readings[name], this.limits[name]));
    if (beyond.length === 0) return undefined;
    return beyond
      .map(name => `${WORDS[name](readings[name] ?? 0)} (the limit is ${this.limits[name]})`)
      .join(', ');
  }

  readings(): Readings {
    const now = monotonicMs();
    if (this.last && now - this.last.at < FRESH_MS) return this.last.readings;
    const number = (file: string, pattern: RegExp): number | undefined => {
      const found = pattern.exec(this.read(file))?.[1];
      return found === undefined ? undefined : Number(found);
    };
    const load = number('loadavg', /^([\d.]+) /);
    const availableKib = number('meminfo', /^MemAvailable:\s+(\d+) kB/m);
    const readings = {
      cpu: number('pressure/cpu', /^some avg10=([\d.]+)/m),
      io: number('pressure/io', /^full avg10=([\d.]+)/m),
      memory: number('pressure/memory', /^full avg10=([\d.]+)/m),
      load: load === undefined ? undefined : Math.round((load / availableParallelism()) * 100) / 100,
      available: availableKib === undefined ? undefined : Math.floor(availableKib / MIB),
    };
    const known = GUARDED.flatMap(name => (readings[name] === undefined ? [] : [[name, readings[name]]]));
    this.last = { at: now, readings: Object.fromEntries(known) };
    return this.last.readings;
  }

  /** Empty where the kernel has no such file: not every one has pressure-stall information. */
  private read(file: string): string {
    try {
      return readFileSync(join(this.proc, file), 'utf8');
    } catch {
      return '';
    }
  }
}

function isBeyond(name: Guarded, reading: number | undefined, limit: number | undefined): boolean {
  if (reading === undefined || limit === undefined) return false;
  return name === 'available' ? reading < limit : reading > limit;
}

const WORDS: Readonly<Record<Guarded, (reading: number) => string>> = {
  cpu: reading => `processors are waited for ${reading} % of the time`,
  io: reading => `everything waits for input and output ${reading} % of the time`,
  memory: reading => `everything waits for memory ${reading} % of the time`,
  load: reading => `the load average is ${reading} for each processor`,
  available: reading => `${reading} MiB of memory are available`,
};

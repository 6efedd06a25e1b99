import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.js';

const LEAVE_BOUND_MS = 10_000;
const made: ControlGroup[] = [];

/** A control group of the test's own. */
export class ControlGroup {
  constructor(readonly path: string) {
    mkdirSync(path, { recursive: true });
    made.push(this);
  }

  get procs(): string {
    return join(this.path, 'cgroup.procs');
  }

  add(pid: number): void {
    writeFileSync(this.procs, String(pid));
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8').trim();
  }

  write(file: string, value: string): void {
    writeFileSync(join(this.path, file), value);
  }

  has(file: string): boolean {
    return existsSync(join(this.path, file));
  }
}

/**
 * Where groups can be made of a controller (`pids`, `memory`), in whichever hierarchy has it, or with none of version 2;
 * undefined where they can't.
 */
export function groupRoot(controller?: 'pids' | 'memory'): string | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' '))
    .filter(([, , , options = '']) => options.split(',').includes('rw'));
  const second = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  if (controller === undefined) return second;
  const first = mounts.find(
    ([, , type, options = '']) => type === 'cgroup' && options.split(',').includes(controller),
  );
  if (first) return first[1];
  const below = second && readFileSync(join(second, 'cgroup.subtree_control'), 'utf8').trim().split(' ');
  return below?.includes(controller) ? second : undefined;
}

/** @throws Error where there can be none, as {@link groupRoot} tells */
export function newGroup(controller?: 'pids' | 'memory'): ControlGroup {
  const root = groupRoot(controller);
  if (root === undefined) throw new Error('no control group can be made here');
  return new ControlGroup(join(root, `bpftrace-mcp-test-${process.pid}-${made.length}`));
}

/** When nobody is left in them; those below others have to be made after them. */
export async function removeGroups(): Promise<void> {
  for (const group of made.splice(0).reverse()) {
    await until('the control group to be empty', LEAVE_BOUND_MS, () => group.read('cgroup.procs') === '');
    rmdirSync(group.path);
  }
}

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const MIB = 1024 * 1024;
/** Version 1 writes a number near 2^63 where there is no limit. */
const NO_LIMIT = 2 ** 60;

interface Layout {
  /** In /proc/self/cgroup, the line that names this process's group. */
  line: RegExp;
  mount: string;
  limit: string;
  usage: string;
  /** In memory.stat: page cache that is given up before anything fails. */
  reclaimable: RegExp;
}

const VERSION_2: Layout = {
  line: /^0::(.*)$/m,
  mount: '',
  limit: 'memory.max',
  usage: 'memory.current',
  reclaimable: /^inactive_file (\d+)/m,
};
const VERSION_1: Layout = {
  line: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m,
  mount: 'memory',
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  reclaimable: /^total_inactive_file (\d+)/m,
};

/** In MiB. */
export interface GroupMemory {
  /** The narrowest limit. */
  limitMib: number;
  /** What all of them still allow. */
  leftMib: number;
}

/**
 * What this process's control group, and those around it, allow; undefined where nothing bounds it, or that can't be
 * told. A container's limit is seen nowhere else.
 */
export function groupMemory(proc = '/proc', root = '/sys/fs/cgroup'): GroupMemory | undefined {
  const groups = text(join(proc, 'self/cgroup')) ?? '';
  const bounds = [VERSION_2, VERSION_1].flatMap(layout => {
    const path = layout.line.exec(groups)?.[1];
    return path === undefined ? [] : boundsAbove(join(root, layout.mount), path, layout);
  });
  if (bounds.length === 0) return undefined;
  const smallest = (of: (bound: Bound) => number): number => Math.floor(Math.min(...bounds.map(of)) / MIB);
  return { limitMib: smallest(({ most }) => most), leftMib: smallest(({ left }) => left) };
}

/** Of one group, in bytes. */
interface Bound {
  most: number;
  left: number;
}

/** In a container the path is that of the host, and the files stand at the top. */
function boundsAbove(mount: string, path: string, layout: Layout): Bound[] {
  const bounds: Bound[] = [];
  for (let group = path; ; group = dirname(group)) {
    const bound = boundIn(join(mount, group), layout);
    if (bound) bounds.push(bound);
    if (group === '/' || group === '.') return bounds;
  }
}

function boundIn(folder: string, { limit, usage, reclaimable }: Layout): Bound | undefined {
  const most = Number(text(join(folder, limit)));
  const used = Number(text(join(folder, usage)));
  if (!(most > 0 && most < NO_LIMIT) || !(used >= 0)) return undefined;
  const cache = Number(reclaimable.exec(text(join(folder, 'memory.stat')) ?? '')?.[1] ?? 0);
  return { most, left: Math.max(0, most - used + cache) };
}

function text(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

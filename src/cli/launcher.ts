import type { Config } from '../config.js';
import { gainPrivilege, type Launcher } from '../privilege/gain.js';

/** How bpftrace gets its rights; nobody is asked for any where nothing is run. */
export async function launcherOf({ bpftrace, replay }: Config): Promise<Launcher | undefined> {
  return replay === '' ? gainPrivilege(bpftrace) : undefined;
}

import { encodeBoard, MAP_OVERHEAD_BYTES, type MapRecord } from '../src/contract/board.js';
import { reduceMap } from './reduce-map.js';

/** An earlier snapshot that becomes a line is for reading, not for reasoning: this much of it is kept. */
const HISTORY_LINE_BYTES_MAX = 8192;

/**
 * The latest snapshot of every map, bounded in bytes.
 *
 * A program may print a map again and again (`interval:s:1 { print(@); clear(@); }`), and then the earlier
 * snapshots are its output as much as the last one is. So a snapshot is *held* until it is known whether
 * something follows it: when a line does, or a newer snapshot of the same map, the held one becomes a line
 * of the ring, at its place in the order; the last one stays held, and is never a line.
 */
export class LatestMaps {
  private readonly latest = new Map<string, MapRecord>();
  private readonly held = new Map<string, string>();
  /** Changed since the last {@link encode}. */
  dirty = false;

  constructor(private readonly mapBytesMax: number) {}

  /** Takes a snapshot; gives back the earlier one of the same map if nothing has followed it yet. */
  set(name: string, type: string, json: string): string | undefined {
    const replaced = this.held.get(name);
    this.held.delete(name);
    this.held.set(name, historyLine(name, json));
    this.latest.set(name, { name, type, ...reduceMap(json, this.mapBytesMax) });
    this.dirty = true;
    return replaced;
  }

  get holds(): boolean {
    return this.held.size > 0;
  }

  /** The snapshots that a line is about to follow, in the order in which they came. */
  takeHeld(): string[] {
    const lines = [...this.held.values()];
    this.held.clear();
    return lines;
  }

  /** The board's content, within `capacityBytes`: maps that find no room any more say how many entries they lost. */
  encode(stderr: string, capacityBytes: number): Uint8Array {
    this.dirty = false;
    let room = capacityBytes - Buffer.byteLength(stderr) - 2 * MAP_OVERHEAD_BYTES;
    const maps: MapRecord[] = [];
    for (const map of this.latest.values()) {
      const head = Buffer.byteLength(map.name) + Buffer.byteLength(map.type) + MAP_OVERHEAD_BYTES;
      if (room < head + 2) break;
      const json = Buffer.byteLength(map.json);
      const fitted =
        head + json <= room ? map : { ...map, ...reduceMap(map.json, room - head, map.omittedEntries) };
      room -= head + Buffer.byteLength(fitted.json);
      maps.push(fitted);
    }
    return encodeBoard({ maps, stderr });
  }
}

function historyLine(name: string, json: string): string {
  const whole = `${name}: ${json}`;
  return whole.length <= HISTORY_LINE_BYTES_MAX ? whole : `${whole.slice(0, HISTORY_LINE_BYTES_MAX)}…`;
}

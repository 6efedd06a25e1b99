import { encodeBoard, MAP_OVERHEAD_BYTES } from '../../src/contract/board.js';
import type { RuntimeMessages } from '../runtime-messages.js';
import { type EncodedMap, encodeMap, onBoard, shrinkMap } from './encode-map.js';
import type { MapReading } from './reading.js';
import { typeMap } from './type-map.js';

/** An earlier snapshot that becomes a line is for reading, not for reasoning: this much of it is kept. */
const HISTORY_LINE_BYTES_MAX = 8192;

/** A map as it came: bpftrace's word for the record, and its value as JSON, a character a byte. */
interface Snapshot {
  type: string;
  json: string;
}

/**
 * The latest snapshot of every map, bounded in bytes.
 *
 * A program may print a map again and again (`interval:s:1 { print(@); clear(@); }`), and then the earlier
 * snapshots are its output as much as the last one is. So a snapshot is *held* until it is known whether
 * something follows it: when a line does, or a newer snapshot of the same map, the held one becomes a line
 * of the ring, at its place in the order; the last one stays held, and is never a line.
 *
 * A snapshot is taken apart only when it is to be seen (see {@link encode}): of a map that is printed a thousand
 * times a second, most never are.
 */
export class LatestMaps {
  private readonly latest = new Map<string, Snapshot | EncodedMap>();
  private readonly held = new Map<string, string>();
  /** As they were when somebody asked for them, where they have not been printed since. */
  private asked = new Map<string, Snapshot | EncodedMap>();
  /** Changed since the last {@link encode}. */
  dirty = false;

  /** @param reading asked for at each {@link encode}, since bpftrace's version may be known late */
  constructor(
    private readonly mapBytesMax: number,
    private readonly reading: () => MapReading,
    private readonly messages: RuntimeMessages,
  ) {}

  /** Takes a snapshot; gives back the earlier one of the same map, as a line, if nothing has followed it yet. */
  set(name: string, type: string, json: string): string | undefined {
    const replaced = this.held.get(name);
    this.held.delete(name);
    this.held.set(name, historyLine(name, json));
    this.latest.set(name, { type, json });
    this.asked.delete(name);
    this.dirty = true;
    return replaced;
  }

  /** Shows these instead of what was printed; they are no output of the program, and never become lines. */
  show(asked: readonly (Snapshot & { name: string })[]): void {
    this.asked = new Map(asked.map(({ name, type, json }) => [name, { type, json }]));
    this.dirty = true;
  }

  /** Some were, or would be, read without knowing bpftrace's version. */
  get isProvisional(): boolean {
    return this.latest.size + this.asked.size > 0 && this.reading().isProvisional;
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

  /** The board's content, within `capacityBytes`: maps that find no room any more have no entries left. */
  encode(stderr: string, capacityBytes: number): Uint8Array {
    this.dirty = false;
    let room = capacityBytes - Buffer.byteLength(stderr) - 2 * MAP_OVERHEAD_BYTES;
    const maps: EncodedMap[] = [];
    const reading = this.reading();
    for (const [name, state] of new Map([...this.latest, ...this.asked])) {
      const map = 'json' in state ? this.typed(name, state, reading) : state;
      if (!reading.isProvisional) (this.asked.has(name) ? this.asked : this.latest).set(name, map);
      room -= MAP_OVERHEAD_BYTES;
      if (map.head.byteLength > room) break;
      const fitted = map.bytes <= room ? map : shrinkMap(map, room);
      room -= fitted.bytes;
      maps.push(fitted);
    }
    return encodeBoard({ maps: maps.map(onBoard), stderr });
  }

  private typed(name: string, { type, json }: Snapshot, reading: MapReading): EncodedMap {
    const map = typeMap(name, type, json, reading);
    const places = reading.maps.find(program => program.name === name)?.places ?? [];
    const lost = this.messages.lostUpdates(places);
    return encodeMap(lost > 0 ? { ...map, full: true, updates_lost: lost } : map, this.mapBytesMax);
  }
}

function historyLine(name: string, json: string): string {
  const room = HISTORY_LINE_BYTES_MAX - name.length;
  return `${name}: ${json.length <= room ? json : `${json.slice(0, room)}...`}`;
}

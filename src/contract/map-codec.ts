import type { Frame, Integer, KeyPart, MapEntry, MapValue, TypedMap } from './map.js';

/**
 * How a typed map stands on the board. Its head and each of its entries are JSON of their own, so that a reader
 * parses only what it wants. In keys a frame is an array, which is half as long: `["vfs_read",12]`.
 */
export interface MapHead extends Omit<TypedMap, 'entries'> {
  /** Of the values of all entries, where it means something. */
  sum?: Integer | undefined;
}

/** An entry, and what it was made of when stacks were merged. */
export interface MergedEntry extends MapEntry {
  exact?: MapEntry[] | undefined;
}

type FrameTuple = [symbol: string, offset: number | null, module?: string | null, address?: string | null];
type PartOnBoard = Integer | FrameTuple[];
/** Offsets of all frames of the key, and the value. */
type ExactOnBoard = [offsets: (number | null)[], value: MapValue];
type EntryOnBoard = [key: PartOnBoard[], value: MapValue, exact?: ExactOnBoard[]];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeHead(head: MapHead): Uint8Array {
  return encoder.encode(JSON.stringify(head));
}

export function decodeHead(bytes: Uint8Array): MapHead {
  return JSON.parse(decoder.decode(bytes));
}

export function encodeEntry({ key, value, exact }: MergedEntry): Uint8Array {
  const parts = key.map((part): PartOnBoard => (Array.isArray(part) ? part.map(frameTuple) : part));
  const own = exact?.map((one): ExactOnBoard => [offsetsOf(one.key), one.value]);
  const entry: EntryOnBoard = own ? [parts, value, own] : [parts, value];
  return encoder.encode(JSON.stringify(entry));
}

export function decodeEntry(bytes: Uint8Array): MergedEntry {
  const [parts, value, exact] = JSON.parse(decoder.decode(bytes)) as EntryOnBoard;
  const key = parts.map((part): KeyPart => (Array.isArray(part) ? part.map(frameOf) : part));
  return {
    key,
    value,
    ...(exact && { exact: exact.map(([offsets, own]) => ({ key: withOffsets(key, offsets), value: own })) }),
  };
}

function frameTuple({ symbol, offset, module, address }: Frame): FrameTuple {
  if (address !== undefined) return [symbol, offset ?? null, module ?? null, address];
  return module === undefined ? [symbol, offset ?? null] : [symbol, offset ?? null, module];
}

function frameOf([symbol, offset, module, address]: FrameTuple): Frame {
  return {
    symbol,
    ...(offset !== null && { offset }),
    ...(typeof module === 'string' && { module }),
    ...(typeof address === 'string' && { address }),
  };
}

function offsetsOf(key: readonly KeyPart[]): (number | null)[] {
  return key.flatMap(part => (Array.isArray(part) ? part.map(frame => frame.offset ?? null) : []));
}

function withOffsets(key: readonly KeyPart[], offsets: (number | null)[]): KeyPart[] {
  const left = [...offsets];
  return key.map(part => {
    if (!Array.isArray(part)) return part;
    return part.map(({ offset: _merged, ...frame }) => {
      const offset = left.shift() ?? null;
      return offset === null ? frame : { ...frame, offset };
    });
  });
}

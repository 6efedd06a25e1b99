import type { MapValue, TupleMember } from '../../src/contract/map.js';
import { histogramOf } from './histogram.js';
import { type Json, JsonObject, JsonString, JsonWord } from './json.js';
import { framesOf } from './stack.js';
import type { Strings } from './text.js';

/** What a value is that bpftrace's JSON gives for a map or for an entry of one. */

const STATISTICS_FIELDS = ['count', 'average', 'total'];

/** @param type bpftrace's word for the record */
export function typedValue(type: string, json: Json, strings: Strings): MapValue {
  if (Array.isArray(json) && type === 'hist') return histogramOf(json);
  if (Array.isArray(json) && type === 'tseries') {
    return json.filter(isObject).map(point => ({
      at: String(member(point.get('interval_start') ?? null, strings)),
      value: scalar(point.get('value') ?? null, strings),
    }));
  }
  if (isStatisticsJson(json)) {
    const [count = 0, average = 0, total = 0] = STATISTICS_FIELDS.map(
      name => scalar(json.get(name) ?? 0, strings) ?? 0,
    );
    return { count, average, total };
  }
  return member(json, strings);
}

/** What buf() gives: 0.27 writes its bytes as signed numbers; as text, as keys and other releases have it. */
export function bufferOf(json: Json, strings: Strings): MapValue {
  if (!Array.isArray(json) || !json.every(byte => typeof byte === 'number')) return member(json, strings);
  return json.map(byteText).join('');
}

function byteText(byte: Json): string {
  const code = Number(byte) & 0xff;
  const isPrinted = code >= 0x20 && code < 0x7f;
  return isPrinted ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, '0')}`;
}

export function isStatisticsJson(json: Json): json is JsonObject {
  return (
    json instanceof JsonObject &&
    json.members.length === STATISTICS_FIELDS.length &&
    json.members.every(([name, value], i) => name === STATISTICS_FIELDS[i] && !(value instanceof JsonObject))
  );
}

function isObject(json: Json): json is JsonObject {
  return json instanceof JsonObject;
}

function member(json: Json, strings: Strings): TupleMember {
  if (json instanceof JsonString) {
    const text = strings.decode(json.body);
    return framesOf(text, false) ?? text;
  }
  if (json instanceof JsonWord) return strings.decode(json.text);
  if (Array.isArray(json)) return json.map(item => member(item, strings));
  if (!(json instanceof JsonObject)) return json;
  return Object.fromEntries(
    json.members.map(([name, field]) => [strings.decode(name), member(field, strings)]),
  );
}

function scalar(json: Json, strings: Strings): number | string | null {
  const value = member(json, strings);
  return typeof value === 'number' || typeof value === 'string' ? value : null;
}

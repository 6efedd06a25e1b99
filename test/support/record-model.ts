import { visible, withoutLive } from '../../src/contract/visible.js';

/**
 * What RecordReader and the decoder behind it should make of bpftrace's output, the slow and simple way: a string
 * at a time, JSON.parse for every record. Bytes are strings of characters up to U+00FF in between.
 */
export interface Reading {
  lines: string[];
  /** Name, type, JSON text. */
  maps: [string, string, string][];
  attachedProbes: number;
  lostEvents: number;
}

interface Parsed {
  type: string;
  data?: unknown;
  count?: number;
  msg?: string;
}

const SEVERITY: Record<string, string> = {
  helper_error: 'WARNING',
  runtime_error: 'WARNING',
  warnf: 'WARNING',
  errorf: 'ERROR',
};

export function modelReading(output: string): Reading {
  const lines: string[] = [];
  const maps = new Map<string, [string, string, string]>();
  const held = new Map<string, string>();
  const warned = new Map<string, { line: string; count: number }>();
  const reading = { attachedProbes: -1, lostEvents: 0 };
  let pending = '';

  const addLine = (line: string): void => {
    lines.push(...held.values(), line);
    held.clear();
  };
  const endPending = (): void => {
    addLine(shownText(pending));
    pending = '';
  };
  const addText = (text: string): void => {
    const [first = '', ...rest] = text.split('\n');
    pending += first;
    for (const next of rest) {
      endPending();
      pending = next;
    }
  };

  for (const raw of output.split('\n')) {
    if (raw === '') continue;
    const record = parse(raw);
    const json = /"data": (.*)\}$/s.exec(raw)?.[1] ?? '';
    if (record === undefined) {
      if (pending !== '') endPending();
      addLine(shownText(raw));
    } else if (record.type === 'attached_probes') {
      reading.attachedProbes = record.count ?? (record.data as { probes: number }).probes;
    } else if (record.type === 'lost_events') {
      reading.lostEvents += record.count ?? (record.data as { events: number }).events;
    } else if (SEVERITY[record.type] !== undefined) {
      const known = warned.get(raw);
      if (known) known.count++;
      if (known) continue;
      const line = warning(record.type, raw, record.msg ?? '');
      if (record.type.endsWith('_error')) warned.set(raw, { line, count: 1 });
      if (pending !== '') endPending();
      addLine(line);
    } else if (['printf', 'time', 'cat', 'join', 'value'].includes(record.type)) {
      if (typeof record.data === 'string') {
        addText(record.data);
        if (record.type === 'join' || record.type === 'value') endPending();
      } else if (pending === '') {
        addLine(shownJson(json));
      } else {
        pending += bytesOf(json);
        endPending();
      }
    } else if (/^\{"@/.test(json)) {
      if (pending !== '') endPending();
      const [, name = '', value = ''] = /^\{"(@\w*)": (.*)\}$/s.exec(json) ?? [];
      const earlier = held.get(name);
      if (earlier !== undefined) lines.push(earlier);
      held.delete(name);
      held.set(name, `${name}: ${shownJson(value)}`);
      maps.set(name, [name, record.type, value]);
    } else {
      if (pending !== '') endPending();
      addLine(shownText(raw));
    }
  }
  if (pending !== '') endPending();
  for (const { line, count } of warned.values()) if (count > 1) lines.push(`${line}: ${count} times`);
  return { ...reading, lines, maps: [...maps.values()] };
}

/** A sign-extended byte as the character of that number, which is a byte again later. */
function bytesOf(text: string): string {
  return text.replace(/\\uffffff([0-9a-f]{2})/g, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function parse(raw: string): Parsed | undefined {
  if (!raw.startsWith('{"type":')) return undefined;
  try {
    return JSON.parse(bytesOf(raw));
  } catch {
    return undefined;
  }
}

/** JSON text as it is, but for bytes outside ASCII, which become readable. */
function shownJson(json: string): string {
  const readable = json.replace(/(?:\\uffffff[0-9a-f]{2})+/g, run =>
    JSON.stringify(utf8(bytesOf(run))).slice(1, -1),
  );
  return withoutLive(readable);
}

function warning(type: string, raw: string, message: string): string {
  const field = (name: string): string | undefined => new RegExp(`"${name}": "?([^",}]*)`).exec(raw)?.[1];
  const helper = field('helper');
  const detail = helper === undefined ? '' : ` (${helper}, ${field('retcode')})`;
  const place = `${field('filename') ?? 'stdin'}:${field('line')}:${field('col')}`;
  return shownText(`${place}: ${SEVERITY[type]}: ${message.replace(/\n$/, '')}${detail}`);
}

/** Bytes as a line shows them. */
function shownText(bytes: string): string {
  return visible(utf8(bytes));
}

/** Bytes as text, one character at a time; where they are no character, as lone surrogates. */
function utf8(bytes: string): string {
  const buffer = Buffer.from(bytes, 'latin1');
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for (let at = 0; at < buffer.length; ) {
    let taken = 0;
    for (let length = 1; length <= 4 && taken === 0; length++) {
      try {
        text += decoder.decode(buffer.subarray(at, at + length));
        taken = length;
      } catch {
        // Too short, or no character at all.
      }
    }
    if (taken === 0) text += String.fromCharCode(0xdc00 + (buffer[at] ?? 0));
    at += Math.max(1, taken);
  }
  return text;
}

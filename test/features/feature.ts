import { isDeepStrictEqual } from 'node:util';
import type { Result } from '../../src/results/result.js';

/** Something a user of bpftrace relies on, as one program and what its result has to be. */
export interface Feature {
  /** Its row in the support table; unique. */
  name: string;
  program: string;
  /** Seconds from attached; programs that end themselves take less. */
  timeout: number;
  /** What is wrong with the result, in a few words; undefined when nothing is. */
  wrong: (result: Result) => string | undefined;
  /** It is stopped as soon as it has printed something. */
  stopped?: true;
  /** Works on every bpftrace and kernel, known or not. */
  required: boolean;
}

export interface Group {
  name: string;
  features: readonly Feature[];
}

type Check = (result: Result) => string | undefined;
type Extra = Partial<Pick<Feature, 'timeout' | 'stopped' | 'required'>>;

/** Ends by itself at once. */
export function feature(name: string, program: string, check: Check, extra: Extra = {}): Feature {
  return { name, program, timeout: 5, required: false, ...extra, wrong: result => unlike(result, check) };
}

/** Ends by its deadline. */
export function traced(name: string, program: string, check: Check, extra: Extra = {}): Feature {
  return feature(name, program, check, { timeout: 1, ...extra });
}

/** Is meant to fail: the check looks at how. */
export function refused(name: string, program: string, check: Check, extra: Extra = {}): Feature {
  return { name, program, timeout: 1, required: false, ...extra, wrong: check };
}

function unlike(result: Result, check: Check): string | undefined {
  return result.status === 'failed' ? 'it failed' : check(result);
}

/** Exactly these lines. */
export const prints =
  (...lines: string[]): Check =>
  ({ output }) =>
    output.join('\n') === lines.join('\n') ? undefined : `printed ${JSON.stringify(output)}`;

/** Some line is like this. */
export const printsLike =
  (pattern: RegExp): Check =>
  ({ output }) =>
    output.some(line => pattern.test(line)) ? undefined : `printed ${JSON.stringify(output.slice(0, 5))}`;

/** The map's value, or its entries, as JSON, is like this. */
export const holds =
  (name: string, pattern: RegExp): Check =>
  result => {
    const map = result.maps.find(one => one.name === name);
    const text = JSON.stringify(map?.value ?? map?.entries ?? `no map ${name}`);
    return pattern.test(text) ? undefined : `${name} is ${text.slice(0, 200)}`;
  };

/** The map's value is exactly this; of an object, the members named here. */
export const is =
  (name: string, expected: unknown): Check =>
  ({ maps }) => {
    const map = maps.find(one => one.name === name);
    if (!map) return `no map ${name}`;
    return isDeepStrictEqual(membersOf(map.value, expected), expected)
      ? undefined
      : `${name} is ${JSON.stringify(map)}`;
  };

/** The map's entries, as `key part,key part: value`, are exactly these, the largest value first. */
export const entries =
  (name: string, ...expected: string[]): Check =>
  ({ maps }) => {
    const map = maps.find(one => one.name === name);
    const found = map?.entries?.map(({ key, value }) => `${key.join(',')}: ${value}`);
    return isDeepStrictEqual(found, expected) ? undefined : `${name} is ${JSON.stringify(map)}`;
  };

function membersOf(value: unknown, like: unknown): unknown {
  if (typeof value !== 'object' || typeof like !== 'object' || value === null || like === null) return value;
  if (Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => name in like));
}

/** The map counted something. */
export const counts = (name = '@'): Check => holds(name, /[1-9]/);

export const both =
  (...checks: Check[]): Check =>
  result => {
    for (const check of checks) {
      const wrong = check(result);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };

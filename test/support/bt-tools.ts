import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { MapValue, TypedMap } from '../../src/contract/map.js';
import { isHistogram, isStatistics } from '../../src/contract/map-values.js';
import type { Result } from '../../src/results/result.js';
import { type PlainRun, runPlain } from './plain-bpftrace.js';
import { type MapShape, readPlain } from './plain-text.js';
import type { ServerUnderTest } from './server.js';
import { type PrintedLines, printedLines } from './tool-source.js';

/** The ready tools of a bpftrace package, run through the server and beside it by bpftrace itself. */

/** Where packages put them: Debian's own place, then everybody else's. */
const TOOL_FOLDERS = ['/usr/sbin', '/usr/share/bpftrace/tools'];
/** Two ticks of interval:s:1, so that what is printed every second is seen to be kept apart. */
const TRACE_S = 2.2;
/** Attaching, detaching and printing of the largest of them, with other tools beside it on a small machine. */
const RUN_BOUND_S = 150;
const LIMIT_MAX = 1000;
/** With less in it, a map may well be empty in a run that took place a moment earlier or later. */
const SURE_TO_RECUR = 10;
/** bpftrace itself mixes the pieces of a line of several calls when two processors print at once (seen: 1 in 300). */
const TORN_SHARE_MAX = 0.05;

export interface ToolRow {
  tool: string;
  /** As the server says. */
  attaches: boolean;
  ended: string;
  lines: number;
  maps: string[];
  note: string;
  /** Where the server and bpftrace itself disagree. */
  disagreements: string[];
}

export function installedTools(): string[] {
  for (const folder of TOOL_FOLDERS.filter(existsSync)) {
    const tools = readdirSync(folder, { encoding: 'utf8' }).filter(name => name.endsWith('.bt'));
    if (tools.length > 0) return tools.sort().map(name => join(folder, name));
  }
  return [];
}

/** Runs `tools`, `atOnce` at a time, and gives their rows back in the same order. */
export async function runTools(
  server: ServerUnderTest,
  bpftrace: string,
  tools: readonly string[],
  atOnce: number,
): Promise<ToolRow[]> {
  const rows: ToolRow[] = new Array(tools.length);
  const left = [...tools.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [index, file] = next;
      const program = readFileSync(file, 'utf8');
      const [ours, theirs] = await Promise.all([
        runThroughServer(server, program),
        runPlain(bpftrace, [file], TRACE_S * 1000),
      ]);
      rows[index] = compare(basename(file, '.bt'), printedLines(program), ours, theirs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return rows;
}

async function runThroughServer(server: ServerUnderTest, program: string): Promise<Result> {
  const begun = performance.now();
  let result = await server.result('exec_program', { program, timeout: TRACE_S, wait: 50 });
  const id = result.execution_id;
  while (['queued', 'starting', 'running'].includes(result.status)) {
    assert.ok(
      performance.now() - begun < RUN_BOUND_S * 1000,
      `not ended within ${RUN_BOUND_S} s: ${result.status}`,
    );
    result = await server.result('get_result', { execution_id: id, offset: result.lines_total, wait: 50 });
  }
  result = await server.result('get_result', { execution_id: id, offset: 0, limit: LIMIT_MAX });
  const output = [...result.output];
  for (let page = result; page.has_more; output.push(...page.output)) {
    page = await server.result('get_result', {
      execution_id: id,
      offset: page.next_offset,
      limit: LIMIT_MAX,
    });
  }
  return { ...result, output };
}

function compare(tool: string, printed: PrintedLines, ours: Result, theirs: PlainRun): ToolRow {
  const attaches = ours.status !== 'failed';
  const disagreements: string[] = [];
  const row: ToolRow = {
    tool,
    attaches,
    ended: ours.reason ?? ours.ended_by ?? ours.status,
    lines: ours.lines_total,
    maps: [],
    note: '',
    disagreements,
  };
  if (theirs.killed) disagreements.push('bpftrace itself did not end and was killed');
  if (attaches !== theirs.attached) {
    disagreements.push(`attaches ${attaches}, with bpftrace itself ${theirs.attached}: ${theirs.stderr}`);
  } else if (attaches) {
    compareOutput(row, printed, ours, theirs);
  } else {
    row.note = ours.error_message ?? '';
    const said = firstError(theirs.stderr);
    // Ours may be the compiler's word where bpftrace's first only follows from it; it is bpftrace's own either way.
    const words = row.note.replace(/^\d+:\d+: /, '');
    if (!row.note.includes(said) && !theirs.stderr.includes(words))
      disagreements.push(`the error ${JSON.stringify(row.note)} is not bpftrace's ${JSON.stringify(said)}`);
  }
  return row;
}

/** The text of bpftrace's first error, or the compiler's; not the one about RLIMIT_MEMLOCK, which a good run has too. */
function firstError(stderr: string): string {
  const lines = stderr.split('\n').filter(line => !line.includes('RLIMIT_MEMLOCK'));
  const line =
    lines.find(text => text.includes('ERROR: ')) ?? lines.find(text => /\berror: /.test(text)) ?? '';
  return line.replace(/^.*?\b(?:ERROR|error): /, '');
}

function compareOutput(row: ToolRow, printed: PrintedLines, ours: Result, theirs: PlainRun): void {
  const plain = readPlain(theirs.stdout, printed.shapes);
  const { lines, maps } = readOurs(ours);
  row.maps = [...maps].map(([name, { kind }]) => `${name} (${kind})`);
  const dropped = ours.lines_dropped > 0;
  if (dropped) row.note = `the first ${ours.lines_dropped} lines were overwritten`;

  const ourHeader = dropped ? [] : lines.splice(0, printed.headerLines);
  const theirHeader = plain.lines.splice(0, printed.headerLines);
  if (!dropped && ourHeader.join('\n') !== theirHeader.join('\n')) {
    row.disagreements.push(
      `header ${JSON.stringify(ourHeader)}, with bpftrace itself ${JSON.stringify(theirHeader)}`,
    );
  }
  const ourShapes = shapesOf(lines, printed.shapes);
  const theirShapes = shapesOf(plain.lines, printed.shapes);
  for (const [whose, { unfit }] of [
    ['ours', ourShapes],
    ['its own', theirShapes],
  ] as const) {
    if (unfit !== undefined)
      row.disagreements.push(`${whose}: no printf() of the tool prints ${JSON.stringify(unfit)}`);
  }
  row.disagreements.push(...missing(ourShapes.seen, theirShapes.seen).map(shape => `no line like ${shape}`));
  row.disagreements.push(
    ...missing(theirShapes.seen, ourShapes.seen).map(shape => `only here: lines like ${shape}`),
  );
  compareMaps(row, maps, plain.maps);
}

/** How many lines each of the tool's shapes accounts for; the first line that has none of them, if there are many. */
function shapesOf(
  lines: readonly string[],
  shapes: readonly RegExp[],
): { seen: Map<string, number>; unfit?: string } {
  const seen = new Map<string, number>();
  const unfit: string[] = [];
  for (const line of lines) {
    const shape = shapes.find(candidate => candidate.test(line))?.source;
    if (shape === undefined) unfit.push(line);
    else seen.set(shape, (seen.get(shape) ?? 0) + 1);
  }
  const [first] = unfit.length > lines.length * TORN_SHARE_MAX ? unfit : [];
  return { seen, ...(first !== undefined && { unfit: first }) };
}

function missing(have: Map<string, number>, wanted: Map<string, number>): string[] {
  return [...wanted]
    .filter(([shape, count]) => count >= SURE_TO_RECUR && !have.has(shape))
    .map(([shape]) => shape);
}

function compareMaps(row: ToolRow, ours: Map<string, MapShape>, theirs: Map<string, MapShape>): void {
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    const here = ours.get(name);
    const there = theirs.get(name);
    if (here && there) {
      if (here.kind !== there.kind)
        row.disagreements.push(`${name} is ${here.kind}, with bpftrace itself ${there.kind}`);
    } else if ((here?.weight ?? there?.weight ?? 0) >= SURE_TO_RECUR) {
      row.disagreements.push(`${name} was printed ${here ? 'here only' : 'by bpftrace itself only'}`);
    } else {
      row.note ||= `${name} was empty in one of the runs`;
    }
  }
}

/** Our lines without the earlier snapshots of maps among them, which bpftrace prints as maps; without blank ones. */
function readOurs(result: Result): { lines: string[]; maps: Map<string, MapShape> } {
  const lines = result.output.filter(line => line.trim() !== '' && !/^@\w*: [[{"\d-]/.test(line));
  return { lines, maps: new Map(result.maps.map(map => [map.name, shapeOfMap(map)])) };
}

function shapeOfMap({ value, entries }: TypedMap): MapShape {
  if (!entries) return shapeOf(value ?? 0);
  const shapes = entries.map(entry => shapeOf(entry.value));
  const number = shapes.every(shape => shape.kind === 'number');
  const weight = number ? shapes.length : shapes.reduce((sum, shape) => sum + shape.weight, 0);
  return { kind: `keyed ${shapes[0]?.kind}`, weight };
}

function shapeOf(value: MapValue): MapShape {
  if (isHistogram(value)) return { kind: 'hist', weight: Number(value.count) };
  if (isStatistics(value)) return { kind: 'stats', weight: Number(value.count) };
  const number = typeof value === 'number' || /^-?\d+$/.test(String(value));
  return { kind: number ? 'number' : 'text', weight: number ? Math.abs(Number(value)) : 1 };
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation } from '../bpftrace/installation.js';
import { tokenize } from '../bpftrace/language/tokenizer.js';
import { atLeast, type BpftraceVersion, parseVersion } from '../bpftrace/version.js';
import { Refusal } from '../contract/errors.js';
import { RECORDING_SUFFIX } from '../contract/recording.js';
import { type Policy, PROFILES } from '../policy/policy.js';
import type { Launcher } from '../privilege/launcher.js';
import { keptAnswer } from './answers.js';
import { FOLDER, RecordingError } from './folder.js';
import { FOLDER_FORMAT, FOLDER_VERSION, HOST_RECORD, type HostRecord } from './host-record.js';
import { readTraceFile, type TraceFile } from './trace-file.js';

/** Of the programs that there are, those shown to whoever asks for another one. */
const SHOWN = 5;
const SHOWN_CHARACTERS = 120;

/** Recordings of one program, in the order in which they were made, by deadline. */
interface Program {
  recordings: TraceFile[];
  /** Of each deadline, how many have been given out. */
  played: Map<number, number>;
}

/** Serves what a {@link Recording} has kept, in place of a host. */
export class Replay {
  readonly host: HostRecord;
  private readonly programs = new Map<string, Program>();
  /** Files that are no whole recordings. */
  readonly broken: number = 0;

  /** @throws RecordingError */
  constructor(readonly folder: string) {
    this.host = readHost(folder);
    const traces = join(folder, FOLDER.traces);
    const last = new Map<string, TraceFile>();
    const names = namesIn(folder).filter(name => name.endsWith(RECORDING_SUFFIX));
    for (const name of names.sort()) {
      const file = readTraceFile(join(traces, name));
      // Of several children of one execution, the earlier ones were started in vain.
      if (file) last.set(file.header.execution, file);
      else this.broken++;
    }
    for (const file of [...last.values()].sort((one, other) => (one.path < other.path ? -1 : 1))) {
      const key = keyOf(file.header.program);
      const program: Program = this.programs.get(key) ?? { recordings: [], played: new Map() };
      program.recordings.push(file);
      this.programs.set(key, program);
    }
  }

  get programCount(): number {
    return this.programs.size;
  }

  get recordings(): TraceFile[] {
    return [...this.programs.values()].flatMap(({ recordings }) => recordings);
  }

  /** Whether maps of running programs could be read. */
  get snapshots(): 'yes' | 'no' | 'unknown' {
    const { version, recordings } = this;
    if (!version) return 'unknown';
    if (!atLeast(version, '0.22')) return 'yes';
    return recordings.some(({ header }) => 'method' in header.snapshots) ? 'yes' : 'unknown';
  }

  /** Answers short commands from what bpftrace answered then. */
  get launcher(): Launcher {
    const { folder, host } = this;
    return {
      mode: host.inspection?.host.privilegeMode ?? 'root',
      diesWithServer: host.children_die_with_server,
      plan: (_path, args) => {
        const answers = { folder, args: [...args], recorded: true };
        // Where a program follows on standard input, who runs it says what is missing.
        if (args.at(-1) !== '-' && !keptAnswer(answers, '')) {
          throw new Refusal(
            'not_recorded',
            'this is a replay, and that was not asked when it was recorded',
            'ask for something else; bpf_info tells what was recorded',
          );
        }
        return { command: '', args: [], env: {}, answers };
      },
    };
  }

  get installation(): Installation {
    return new RecordedInstallation(this);
  }

  /** Of bpftrace, as it told it. */
  get version(): BpftraceVersion | undefined {
    const answer = keptAnswer({ folder: this.folder, args: ['--version'], recorded: true }, '');
    return answer && parseVersion(answer.stdout);
  }

  /** Whether a program may be replayed that was allowed when it was recorded, without judging it by the files of this host. */
  wasAdmitted(program: string, { profile, hasLists }: Policy): boolean {
    const recorded = this.programs.get(keyOf(program))?.recordings[0]?.header.policy;
    const narrower = PROFILES.slice(0, PROFILES.indexOf(profile) + 1);
    return !hasLists && narrower.some(one => one === recorded);
  }

  /** @throws Refusal `not_recorded` */
  require(program: string): void {
    if (this.programs.has(keyOf(program))) return;
    const near = this.nearest(program).map(text => JSON.stringify(shortened(text)));
    const broken = this.broken > 0 ? `; ${this.broken} more files there are not whole, or unreadable` : '';
    throw new Refusal(
      'not_recorded',
      `this is a replay, and this program is none of the ${this.programs.size} that were recorded${broken}`,
      near.length === 0
        ? 'nothing was recorded: start the server on another folder'
        : `run one that was recorded, with the same words; the nearest: ${near.join(' ')}`,
      { recorded_programs: this.programs.size },
    );
  }

  /** How a program is going to be replayed: the next of its recordings is taken when it starts. */
  choose(program: string, deadlineMs: number): ReplayChoice {
    const known = this.programs.get(keyOf(program));
    if (!known) throw new Error('a program that was not recorded has been admitted');
    const deadlines = known.recordings.map(({ header }) => header.deadline_ms);
    const nearest = deadlines.reduce((best, one) => (distance(one) < distance(best) ? one : best));
    function distance(one: number): number {
      return Math.abs(Math.log(one / deadlineMs));
    }
    const recordings = known.recordings.filter(({ header }) => header.deadline_ms === nearest);
    const next = (): TraceFile => {
      const played = known.played.get(nearest) ?? 0;
      known.played.set(nearest, played + 1);
      // The last one again and again.
      const file = recordings[Math.min(played, recordings.length - 1)];
      if (!file) throw new Error('there is no recording');
      return file;
    };
    const [first] = recordings;
    return {
      program: first?.header.program ?? program,
      deadlineMs: nearest,
      ...(first && { bounds: first.header.bounds }),
      ...(nearest !== deadlineMs && {
        note: `it was recorded with a timeout of ${nearest / 1000} s, not ${deadlineMs / 1000} s`,
      }),
      next,
    };
  }

  /** Those that share the most words with it. */
  private nearest(program: string): string[] {
    const words = new Set(wordsOf(program));
    const scored = this.recordings.map(({ header }) => {
      const own = wordsOf(header.program);
      return {
        text: header.program,
        score: own.filter(word => words.has(word)).length / (own.length + words.size),
      };
    });
    const texts = scored.sort((one, other) => other.score - one.score).map(({ text }) => text);
    return [...new Set(texts)].slice(0, SHOWN);
  }
}

export interface ReplayChoice {
  /** As it was recorded: blanks may differ. */
  program: string;
  deadlineMs: number;
  bounds?: TraceFile['header']['bounds'];
  /** What differs from what was asked for. */
  note?: string;
  /** The next of its recordings. */
  next: () => TraceFile;
}

class RecordedInstallation extends Installation {
  constructor(private readonly replay: Replay) {
    super(replay.host.bpftrace_path, replay.launcher);
  }

  override get path(): string {
    return this.replay.host.bpftrace_path;
  }

  override get identity(): string {
    return this.replay.host.bpftrace_identity;
  }

  override async version(): Promise<BpftraceVersion | undefined> {
    return this.replay.version;
  }
}

/** Programs that read alike, whatever blanks and comments they have, are the same. */
function keyOf(program: string): string {
  return JSON.stringify(tokenize(program).map(({ text }) => text));
}

function wordsOf(program: string): string[] {
  return [...new Set(program.split(/\W+/).filter(word => word !== ''))];
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** Each recording has that folder: one without it was copied in part. @throws RecordingError */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(join(folder, FOLDER.traces));
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new RecordingError(`--replay ${folder}: its programs can't be read (${why})`);
  }
}

function readHost(folder: string): HostRecord {
  const path = join(folder, FOLDER.host);
  let host: Partial<HostRecord> | null;
  try {
    host = JSON.parse(readFileSync(path, 'utf8')) as typeof host;
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new RecordingError(`--replay ${folder}: it holds no recording (${why})`);
  }
  if (host?.format === FOLDER_FORMAT && host.version === FOLDER_VERSION) {
    const { error } = HOST_RECORD.safeParse(host);
    if (!error) return host as HostRecord;
    const [issue] = error.issues;
    throw new RecordingError(
      `--replay ${folder}: ${FOLDER.host} is damaged (${issue?.path.join('.')}: ${issue?.message}): copy the folder anew, or record again`,
    );
  }
  throw new RecordingError(
    `--replay ${folder}: ${FOLDER.host} is of ${host?.format ?? 'no'} format, version ${host?.version}; this server reads ${FOLDER_FORMAT}, version ${FOLDER_VERSION}`,
  );
}

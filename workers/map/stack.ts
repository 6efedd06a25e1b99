import type { Frame } from '../../src/contract/map.js';

/**
 * Stacks as bpftrace prints them: a newline, a frame a line, a newline. Of the frames:
 *
 *   `    vfs_read+12`                         by default; 0.27 leaves the blanks out in keys
 *   `\tffffffff81f0582a vfs_read+12 (mod)`     with `perf`; likewise, and then nothing parts address and symbol
 *   `ffffffff81f0582a`                        with `raw`
 *
 * Where a program keeps no frame pointers, what bpftrace takes for a frame may be any number: 0 is written `0`.
 */
const STACK = /^\n(?:[^\n]*\S[^\n]*\n)*$/;
/** What only a stack looks like, where the program's text does not say that it is one. */
const SURE_STACK =
  /^(?!(?:\s*0\n)+$)\n(?:[ \t]*(?:\S[^\n]*\+\d+|0x[0-9a-f]+|\t[0-9a-f]{8,16} \S[^\n]*|\t0 0(?: \([^\n]*\))?|0|[0-9a-f]{12}|[0-9a-f]{16})\n)+$/;

const PERF = /^\t([0-9a-f]+) (.*?)(?: \(([^()]*)\))?$/;
/** Kernel addresses have 16 digits, those of programs 12. */
const PERF_WITHOUT_BLANKS = /^\t(f{4}[0-9a-f]{12}|[57][0-9a-f]{11})(.*?)(?:\(([^()]*)\))?$/;
const RAW = /^(?:[0-9a-f]{12}|[0-9a-f]{16})$/;
const SYMBOL = /^(.*?)\+(\d+)$/s;

/** Undefined for text that is no stack. @param known the program says that it is one */
export function framesOf(text: string, known: boolean): Frame[] | undefined {
  if (text[0] !== '\n' || !(known ? STACK : SURE_STACK).test(text)) return undefined;
  const lines = text.split('\n').slice(1, -1);
  return lines.map(frameOf);
}

function frameOf(line: string): Frame {
  const perf = PERF.exec(line) ?? PERF_WITHOUT_BLANKS.exec(line);
  if (perf) {
    const [, address = '', symbol = '', module] = perf;
    return {
      ...symbolOf(symbol),
      ...(module !== undefined && module !== '[unknown]' && { module }),
      address: `0x${address}`,
    };
  }
  return symbolOf(line.trim());
}

function symbolOf(text: string): Frame {
  if (RAW.test(text)) return { symbol: `0x${text}` };
  const found = SYMBOL.exec(text);
  return found ? { symbol: found[1] ?? '', offset: Number(found[2]) } : { symbol: text };
}

/** The frames without what may differ between stacks that are to be one. */
export function stackIdentity(frames: readonly Frame[]): string {
  return frames.map(({ symbol, module, address }) => `${symbol} ${module ?? ''} ${address ?? ''}`).join('\n');
}

import type { ProbeField } from '../../src/contract/probes.js';
import { hostFiles } from './host-files.js';

/**
 * The kernel's own description of its types (https://docs.kernel.org/bpf/btf.html), as far as it is needed
 * here: what functions take and return, and what enumerators are worth. Little-endian; a big-endian machine's
 * magic number differs, and counts as no BTF.
 *
 *   header   u16 magic, u8 version, u8 flags, u32 header length, type offset, type length, string offset, string length
 *   type     u32 name offset; u32 info (0-15 vlen, 24-28 kind, 31 kind_flag); u32 size or type; then by kind
 */
const MAGIC = 0xeb9f;
const TYPE_BYTES = 12;
/** Bytes behind a type, by kind: for each of its vlen parts, and once. */
const TAIL: Record<number, { each?: number; once?: number }> = {
  1: { once: 4 }, // INT
  3: { once: 12 }, // ARRAY
  4: { each: 12 }, // STRUCT
  5: { each: 12 }, // UNION
  6: { each: 8 }, // ENUM
  13: { each: 8 }, // FUNC_PROTO
  14: { once: 4 }, // VAR
  15: { each: 12 }, // DATASEC
  17: { once: 4 }, // DECL_TAG
  19: { each: 12 }, // ENUM64
};
const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  float: 16,
  typeTag: 18,
  enum64: 19,
};
const KEYWORDS: Record<number, string> = { 4: 'struct', 5: 'union', 6: 'enum', 19: 'enum' };
/** Longer chains of pointers and qualifiers are a fault of the data. */
const DEPTH_MAX = 16;

export class Btf {
  /** Where each type begins; type 0 is void. */
  private readonly starts: number[] = [0];
  private readonly functions = new Map<string, number>();
  private readonly enums = new Map<string, number>();
  private readonly enumerators = new Map<string, bigint>();
  private readonly types = new Set<string>();
  private readonly stringsAt: number;

  /** @throws RangeError, SyntaxError for what is no BTF */
  constructor(private readonly data: Buffer) {
    if (data.readUInt16LE(0) !== MAGIC) throw new SyntaxError('this is no BTF of this byte order');
    const header = data.readUInt32LE(4);
    this.stringsAt = header + data.readUInt32LE(16);
    let at = header + data.readUInt32LE(8);
    const end = at + data.readUInt32LE(12);
    while (at < end) {
      const type = this.starts.length;
      this.starts.push(at);
      const { kind, parts } = this.infoAt(at);
      const { each = 0, once = 0 } = TAIL[kind] ?? {};
      if (kind === KIND.func) this.functions.set(this.stringAt(data.readUInt32LE(at)), type);
      if (kind === KIND.enum || kind === KIND.enum64) {
        this.enums.set(this.stringAt(data.readUInt32LE(at)), type);
        for (const { name, value } of this.valuesAt(at)) this.enumerators.set(name, value);
      }
      const keyword = KEYWORDS[kind];
      const name = data.readUInt32LE(at);
      if (keyword && name !== 0) this.types.add(`${keyword} ${this.stringAt(name)}`);
      at += TYPE_BYTES + once + each * parts;
    }
  }

  /** The value of a name of any enum. */
  readonly enumerator = (name: string): bigint | undefined => this.enumerators.get(name);

  /** `struct task_struct`, …: all that begin with a keyword. */
  typeNames(keyword: string): string[] {
    return [...this.types].filter(name => name.startsWith(`${keyword} `));
  }

  /** What the numbers of `enum NAME` mean, by number as decimal digits. */
  enumValues(name: string): Record<string, string> | undefined {
    const start = this.starts[this.enums.get(name) ?? 0];
    if (!start) return undefined;
    const values: Record<string, string> = {};
    for (const one of this.valuesAt(start)) values[String(one.value)] ??= one.name;
    return values;
  }

  /** What a function takes, in order. Undefined for a function that is not described. */
  parameters(name: string): ProbeField[] | undefined {
    const proto = this.protoOf(name);
    if (proto === undefined) return undefined;
    const { parts } = this.infoAt(proto);
    return Array.from({ length: parts }, (_, i) => {
      const at = proto + TYPE_BYTES + i * 8;
      const type = this.data.readUInt32LE(at + 4);
      return {
        name: this.stringAt(this.data.readUInt32LE(at)),
        type: type === 0 ? '...' : this.typeName(type),
      };
    });
  }

  /** What a function returns. */
  returns(name: string): string | undefined {
    const proto = this.protoOf(name);
    return proto === undefined ? undefined : this.typeName(this.data.readUInt32LE(proto + 8));
  }

  private protoOf(name: string): number | undefined {
    const start = this.starts[this.functions.get(name) ?? 0];
    return start ? this.starts[this.data.readUInt32LE(start + 8)] : undefined;
  }

  private infoAt(start: number): { kind: number; parts: number; flag: boolean } {
    const info = this.data.readUInt32LE(start + 4);
    return { kind: (info >>> 24) & 0x1f, parts: info & 0xffff, flag: info >>> 31 === 1 };
  }

  private valuesAt(start: number): { name: string; value: bigint }[] {
    const { kind, parts, flag: signed } = this.infoAt(start);
    return Array.from({ length: parts }, (_, i) => {
      const at = start + TYPE_BYTES + i * (kind === KIND.enum ? 8 : 12);
      const name = this.stringAt(this.data.readUInt32LE(at));
      const low = this.data.readUInt32LE(at + 4);
      const value =
        kind === KIND.enum
          ? BigInt(signed ? low | 0 : low)
          : BigInt.asIntN(64, (BigInt(this.data.readUInt32LE(at + 8)) << 32n) | BigInt(low));
      return { name, value: signed || kind === KIND.enum ? value : BigInt.asUintN(64, value) };
    });
  }

  /** As C writes it: `const struct path *`. */
  private typeName(type: number, depth = 0): string {
    const start = this.starts[type];
    if (type === 0 || !start || depth > DEPTH_MAX) return 'void';
    const name = this.stringAt(this.data.readUInt32LE(start));
    const { kind, flag } = this.infoAt(start);
    const target = (): string => this.typeName(this.data.readUInt32LE(start + 8), depth + 1);
    switch (kind) {
      case KIND.ptr: {
        const pointed = target();
        return pointed.endsWith('*') ? `${pointed}*` : `${pointed} *`;
      }
      case KIND.const:
        return `const ${target()}`;
      case KIND.volatile:
        return `volatile ${target()}`;
      case KIND.restrict:
      case KIND.typeTag:
        return target();
      case KIND.struct:
        return `struct ${name}`.trim();
      case KIND.union:
        return `union ${name}`.trim();
      case KIND.enum:
      case KIND.enum64:
        return `enum ${name}`.trim();
      case KIND.fwd:
        return `${flag ? 'union' : 'struct'} ${name}`;
      case KIND.array:
        return `${this.typeName(this.data.readUInt32LE(start + TYPE_BYTES), depth + 1)}[${this.data.readUInt32LE(start + TYPE_BYTES + 8)}]`;
      case KIND.funcProto:
        return 'function';
      default:
        return name;
    }
  }

  private stringAt(offset: number): string {
    const begin = this.stringsAt + offset;
    return this.data.toString('latin1', begin, this.data.indexOf(0, begin));
  }
}

let kernel: Btf | undefined;
let looked = false;

/** This kernel's; undefined where it has none that can be read. */
export function kernelBtf(): Btf | undefined {
  if (!looked) {
    looked = true;
    try {
      kernel = new Btf(hostFiles.btf());
    } catch {
      // A kernel without BTF, or of another byte order: types are then what bpftrace tells.
    }
  }
  return kernel;
}

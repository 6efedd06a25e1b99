import { listHelpers } from '../../reference/index.js';
import { atLeast, type BpftraceVersion, type Release } from '../../version.js';
import { type Advice, type Adviser, type Question, versionText } from './advice.js';
import { exampleField } from './fields.js';
import { lacksProvider } from './provider.js';

/** A type of a map's values, as it is named until 0.21 and later. */
const AGGREGATE = /\b(?:count|sum|min|max|avg|stats|hist|lhist|tseries)(?:_t\b|\b(?= supplied))/;

const READ_BY_NOBODY = /hist|stats|tseries/;

/** What a `%` of printf takes. */
export const wrongType: Adviser = question => {
  const { finding, text, version } = question;
  const { message, range } = finding;
  const here = range ? text.slice(range) : '';
  const around = range ? text.text.slice(Math.max(0, range.start - 80), range.end + 80) : '';
  if (/specifier/.test(message) && AGGREGATE.test(message))
    return {
      hint: `print(@map) prints it; ${READ_BY_NOBODY.test(message) ? 'printf() has no % for it' : aggregateHint(question)}`,
    };
  if (/%s specifier expects/.test(message)) {
    const pointer = /(?<!str\()\b(args(?:->|\.)\w*(?:name|path|str|msg|buf|comm))\b/.exec(here)?.[1];
    return pointer !== undefined
      ? { hint: `a pointer is no text yet: str(${pointer})` }
      : { hint: 'print numbers with %d (or %llx), pointers to text with str(…), stacks with %s alone' };
  }
  if (/specifier expects|format specifier/.test(message)) return { hint: 'print text with %s' };
  if (/operator can ?not be used on expressions of types .*\*, string/.test(message)) {
    const pointer = /(args(?:->|\.)\w+|\$\w+(?:->\w+)*)\s*[!=]=/.exec(around)?.[1];
    return { hint: `a pointer is no text yet: compare str(${pointer ?? '…'})` };
  }
  if (
    /comparing '?string.*'?u?n?s?i?g?n?e?d? ?u?int|comparing '?u?n?s?i?g?n?e?d? ?u?int.*string/.test(message)
  ) {
    return { hint: 'compare text with text (comm == "bash"), numbers with numbers (pid == 1)' };
  }
  if (/comparing '?(?:count|sum|min|max|avg|stats|hist|lhist)/.test(message))
    return { hint: aggregateHint(question) };
  if (
    /on type '\(ctx\) struct _tracepoint/.test(message) ||
    (/->/.test(message) && /args\.$/.test(beforePlace(question)))
  ) {
    return {
      code: 'version',
      hint: `write args->${finding.subject}: args.${finding.subject} needs bpftrace 0.19, ${versionText(version)}`,
    };
  }
  if (/or using '->'/.test(message))
    return { hint: `write -> for the . before ${finding.subject}: it is a pointer` };
  if (/^Can(?: ?not|'t) access (?:field|index)/.test(message)) return { hint: fieldOfNoStruct(question) };
  if (/array index operator/.test(message))
    return { hint: 'only arrays and pointers have [ ]; a map needs its @' };
  if (/tuple/i.test(message)) return { hint: 'parts of a tuple are .0, .1, … as many as it has' };
  if (/out of bounds/.test(message)) return { hint: 'the first element is [0]' };
  if (/^Ternary|in ternary/.test(message))
    return { hint: 'the condition is a number, both results are of one type' };
  if (/[Pp]redicate|^Invalid condition/.test(message))
    return { hint: 'a condition is a number: compare, as in comm == "bash"' };
  if (/^Type mismatch for \$/.test(message))
    return { hint: 'a variable keeps the type of its first value: use another name' };
  if (/should not be used in an assignment|'void'/.test(message))
    return { hint: 'it gives no value: let it stand alone' };
  if (/^Cannot cast from (?:struct|C) type/.test(message))
    return { hint: 'args is no pointer to a struct: use its fields, or cast one of them' };
  if (/^Type mismatch for '[-+*/%&|^]/.test(message)) return { hint: 'only numbers can be reckoned with' };
  if (/^Cannot cast from/.test(message)) return { hint: 'it takes a number' };
  if (/^Cannot cast to|^Cannot cast from .* to "struct/.test(message))
    return { hint: 'cast to a pointer: (struct name *)value' };
  if (/operator can ?not be used on expressions of types? '?string/.test(message)) {
    return { hint: 'text can be compared with == and !=, nothing else' };
  }
  return undefined;
};

function beforePlace({ finding, text }: Question): string {
  return finding.range ? text.text.slice(Math.max(0, finding.range.start - 10), finding.range.start) : '';
}

function fieldOfNoStruct({ finding, text }: Question): string {
  const owner = /([\w@$]+)(?:\.|->)$/.exec(finding.range ? text.text.slice(0, finding.range.start) : '')?.[1];
  if (/'\(/.test(finding.message)) return 'parts of a tuple are .0, .1, … as many as it has';
  if (/'string/.test(finding.message)) return `${owner ?? 'it'} is text and has no fields`;
  if (owner !== undefined && /^[a-z]/.test(owner))
    return `${owner} is a plain number; fields are those of pointers to structs, such as curtask->pid`;
  if (owner !== undefined && /^\d+$/.test(owner))
    return 'there are no fractions: multiply first, or divide when printing';
  return `${owner ?? 'it'} is no struct: cast it, as in ((struct task_struct *)${owner ?? 'x'})->field`;
}

function aggregateHint({ finding, version }: Question): string {
  if (READ_BY_NOBODY.test(finding.message))
    return 'it can be printed, not read: keep what you need of it in a map of its own';
  return version && !atLeast(version, '0.21')
    ? `its value can be read from bpftrace 0.21 on, ${versionText(version)}: count in a plain map, @n++`
    : 'cast it, as in (int64)@n, or count in a plain map: @n++';
}

export const wrongMapType: Adviser = question => {
  const { finding, version } = question;
  const { message, subject } = finding;
  if (/should not be indexed by a key/.test(message)) {
    const whole = { hint: 'give the map alone, as in print(@x) or clear(@x)' };
    return /print\(\)/.test(message) && version && !atLeast(version, '0.21')
      ? {
          code: 'version',
          hint: `one value can be printed from bpftrace 0.21 on, ${versionText(version)}: printf("%d", @x[key])`,
        }
      : whole;
  }
  if (/tuple cannot be used as a map key/.test(message)) return { hint: 'write @x[1, 2] for @x[(1, 2)]' };
  if (/directly (?:assigned )?to a map|must be assigned directly|directly assigned/.test(message)) {
    return { hint: `write @name = ${subject ?? 'it'}(…); as a statement of its own` };
  }
  if (/^Type mismatch|Tuple type mismatch/.test(message))
    return { hint: 'a map holds one kind of value: use another name for the other' };
  if (/^Argument mismatch|used as a map with/.test(message)) {
    return { hint: `a map has the same kind of key wherever it is used: use another name, or the same key` };
  }
  if (/lhist bounds/.test(message))
    return { hint: 'give every lhist() of a map the same bounds, or use another map' };
  if (/for-loop|cannot be used for iteration/.test(message))
    return { hint: 'loop over a map with keys, @x[key]' };
  if (/cannot be assigned|on expressions of type|used as a map key/.test(message))
    return { hint: aggregateHint(question) };
  if (/mapkey/.test(message)) return { hint: 'a count or histogram can be no key' };
  if (/single argument expects a map without/.test(message))
    return { hint: 'clear(@x) empties a map with keys' };
  return undefined;
};

export const wrongArguments: Adviser = question => {
  const { finding, text, version } = question;
  const { message, range } = finding;
  const format = /arguments for format string \((\d+) supplied, (\d+) expected\)/.exec(message);
  if (format) {
    return Number(format[2]) > Number(format[1])
      ? { hint: 'give a value for each %; write %% for a percent sign' }
      : { hint: 'each value needs a % of its own: %d, %u, %x, %s, %p, %c, %r' };
  }
  if (/^unroll/.test(message)) return { hint: 'unroll (1 to 100) { … }' };
  if (/use \$#/.test(message)) return { hint: '$# is a number' };
  if (/stack mode/.test(message)) return { hint: 'stack modes are bpftrace, perf and raw' };
  if (/timestamp mode/.test(message)) return { hint: 'modes are monotonic, boot, tai and sw_tai' };
  const name = finding.subject ?? /^\w+/.exec(range ? text.slice(range) : '')?.[0] ?? '';
  const helper = listHelpers(version).find(each => each.name === name && /function/.test(each.kind));
  if (!helper) return undefined;
  const later = laterArguments(name, message, version);
  if (later) return later;
  if (name === 'str' && /string/.test(message)) return { hint: 'it is text already: leave str() out' };
  const needed = /would need (\d+)/.exec(message)?.[1];
  if (needed !== undefined)
    return { hint: `make the step ${Math.ceil(Number(needed) / 1000)} times as large, or use hist()` };
  if (/string literal/.test(message))
    return { hint: `a text in double quotes comes first: ${helper.signature}` };
  if (/literal/.test(message)) return { hint: `a number written out, no variable: ${helper.signature}` };
  return { hint: `the form is ${helper.signature}` };
};

/** Functions that took more arguments later: how many they had before. */
const MORE_ARGUMENTS: Readonly<Record<string, { before: number; since: Release; instead: string }>> = {
  exit: { before: 0, since: '0.21', instead: 'write exit()' },
  delete: { before: 1, since: '0.22', instead: 'write delete(@map[key])' },
  hist: { before: 1, since: '0.20', instead: 'leave the second argument out' },
};

function laterArguments(
  name: string,
  message: string,
  version: BpftraceVersion | undefined,
): Advice | undefined {
  const more = MORE_ARGUMENTS[name];
  const provided = Number(/\((\d+) provided\)/.exec(message)?.[1]);
  if (!more || !version || atLeast(version, more.since) || provided !== more.before + 1) return undefined;
  const hint = `${name}() takes it from bpftrace ${more.since} on, ${versionText(version)}: ${more.instead}`;
  return { code: 'version', hint };
}

export const wrongProbe: Adviser = async question => {
  const { finding, text, version } = question;
  const name = finding.subject ?? '';
  const probe = finding.range && text.probeAt(finding.range);
  const point = probe?.attachPoints[0];
  const provider = point?.parts[0] ?? '';
  // 0.27 looks at the probe before it looks at --unsafe.
  if (finding.notes?.some(note => /unsafe/.test(note))) return { code: 'unsafe_required', hint: SAFE_MODE };
  const access = version && atLeast(version, '0.19') ? 'args.' : 'args->';
  if (/^(?:t|tracepoint)$/.test(provider) && point) {
    if (name === 'retval') {
      return point.text.includes('sys_exit')
        ? { hint: `write ${access}ret`, replacement: `${access}ret` }
        : { hint: `its result is ${access}ret in the sys_exit_… tracepoint` };
    }
    if (/^arg\d/.test(name)) {
      const field = await exampleField(point, question);
      return {
        hint: `a tracepoint's arguments have names: ${access}${field ?? 'name'} (list_probes with details lists them)`,
      };
    }
  }
  if (name === 'retval') {
    const lacking = RETURNING[provider] && (await lacksProvider(RETURNING[provider], question));
    if (lacking) return { hint: `the result is known when the function returns, but ${lacking.hint}` };
    const returning = RETURNING[provider];
    return {
      hint: `the result is known when the function returns: ${returning ?? 'kretprobe, uretprobe, fexit'}${returning && point ? `:${point.parts.slice(1).join(':')}` : ''}`,
    };
  }
  if (/^s?arg\d/.test(name)) return { hint: `${name} is of kprobe, uprobe and usdt; this is ${provider}` };
  if (name === 'args' && (probe?.attachPoints.length ?? 0) > 1)
    return { hint: 'give each kind of probe a block of its own' };
  if (name === 'args')
    return { hint: `args is of tracepoint, fentry and uprobe; ${provider} has no arguments` };
  if (name === 'cpid') return { hint: 'nothing is started here: take a pid instead' };
  if (/single probe type/.test(finding.message))
    return { hint: 'give each kind of probe a block of its own' };
  if (/can ?not be used/.test(finding.message)) {
    return {
      hint: `${name || 'it'} is not there in ${provider || 'this'} probes: list_helpers "${name}" tells more`,
    };
  }
  return {
    hint: `move it into a probe of another kind: ${finding.message.replace(/^.* can (?:only )?/, 'it can ').replace(/\.$/, '')}`,
  };
};

export const SAFE_MODE =
  'programs run in safe mode here: system(), signal(), override() and the like need --policy unsafe, which only the operator can choose; print what you need instead';

const RETURNING: Readonly<Record<string, string>> = {
  kprobe: 'kretprobe',
  k: 'kretprobe',
  uprobe: 'uretprobe',
  u: 'uretprobe',
  fentry: 'fexit',
  kfunc: 'kretfunc',
};

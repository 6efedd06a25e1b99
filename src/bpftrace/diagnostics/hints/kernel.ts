import { atLeast } from '../../version.js';
import type { Adviser } from './advice.js';
import { lacksProvider, pointOf } from './provider.js';

export const notAttached: Adviser = async question => {
  const { message, notes = [] } = question.finding;
  const point = pointOf(question);
  const lacking = point && (await lacksProvider(point.parts[0] ?? '', question));
  if (lacking) return lacking;
  if (/middle of instruction|instruction boundary|proper place/.test(message)) {
    return { hint: 'an offset must be where an instruction begins: leave it out' };
  }
  if (/^h(?:ardware)?$/.test(point?.parts[0] ?? '')) {
    return {
      hint: 'this machine (a virtual one, often) counts no such hardware event: try software:cpu-clock:1000000 or profile:hz:99',
    };
  }
  if (/^(?:p(?:rofile)?|i(?:nterval)?)$/.test(point?.parts[0] ?? '')) {
    return { hint: 'its rate is too high or 0: profile:hz:99 is a usual one' };
  }
  if (notes.some(note => /Permission denied|Operation not permitted/.test(note))) {
    return {
      code: 'attach_denied',
      hint: 'the kernel does not allow it: call bpf_info to see what this host allows',
    };
  }
  const [near] = point ? await question.host.nearestProbes(point.text, 1) : [];
  if (near !== undefined && near !== point?.text) return { hint: `did you mean ${near}?` };
  return {
    hint: "the function may be inlined or on the kernel's blacklist: list_probes lists those that can be traced",
  };
};

export const unsupportedHere: Adviser = async question => {
  const point = pointOf(question);
  const lacking = point && (await lacksProvider(point.parts[0] ?? '', question));
  if (lacking) return lacking;
  if (point?.parts[0] === 'iter' || point?.parts[0] === 'it') {
    const near = await question.host.nearestProbes(point.text, 3);
    if (near.includes(point.text))
      return { hint: 'bpftrace lists it, but cannot run it on this kernel: use a tracepoint or an interval' };
    if (near.length > 0) return { code: 'unknown_probe', hint: `did you mean ${near.join(' or ')}?` };
    return { hint: 'list_probes "iter:*" lists the iterators that there are' };
  }
  return { hint: 'call bpf_info to see what works on this kernel' };
};

/** The verifier's reasons, and what a program can do about them. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /BPF program is too large|Argument list too large|error code: -7\b/i,
    'the program is too large: fewer statements, smaller unroll counts and strings',
  ],
  [
    /No space left on device|error code: -28\b/i,
    'the program is too complex for the verifier (its log was full): shorter loops and strings, fewer branches',
  ],
  [
    /unknown func|invalid func|helper call is not allowed|program of this type cannot use helper/,
    'this kind of probe may not call that function: use it in another kind of probe',
  ],
  [
    /invalid mem access 'scalar'|invalid mem access 'inv'/,
    'a number is used as a pointer: cast it, as in (struct name *)value, or read text with str()',
  ],
  [/stack/i, 'too much on the stack: shorter strings (str(x, 32)), fewer keys'],
];

const LOOP = /infinite loop|back-edge|jumps? is too complex/;

export const verifierRefused: Adviser = ({ finding, text, version }) => {
  const said = [finding.message, ...(finding.notes ?? []), finding.log ?? ''].join('\n');
  const probe = finding.range && text.probeAt(finding.range);
  const known = REASONS.find(([pattern]) => pattern.test(said));
  if (known && !LOOP.test(said)) return { hint: known[1] };
  if (probe && /\bwhile\b/.test(text.bare.slice(probe.start, probe.end))) {
    const instead = version && atLeast(version, '0.24') ? 'for ($i : 0..10) { … }' : 'unroll (10) { … }';
    return { hint: `a while loop must have an end that the kernel can see: use ${instead}` };
  }
  return {
    hint: 'the kernel cannot prove it safe: fewer branches, shorter loops and strings; take statements out until it loads',
  };
};

export const stackFull: Adviser = ({ version }) => ({
  hint: `a program has 512 bytes of stack: use shorter text as keys and values (str(x, 32)), or fewer of them${
    version && !atLeast(version, '0.22') ? '; bpftrace from 0.22 on keeps most of it elsewhere' : ''
  }`,
});

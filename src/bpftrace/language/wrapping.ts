/** What stands around a program that was copied from a shell's line or from a page, and is no part of it. */
const WRAPPING = /^\s*(?:```|(?:\$ *)?(?:sudo\s+)?bpftrace\s+-)/;

/** What to hand in instead; undefined where nothing is around it. */
export function withoutWrapping(program: string): string | undefined {
  return WRAPPING.test(program)
    ? "the program's text alone: no command (bpftrace -e) and no quotes or ``` around it"
    : undefined;
}

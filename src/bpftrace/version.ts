/** A release as written in the reference: major and minor, no patch ("0.19"). */
export type Release = `${number}.${number}`;

export interface BpftraceVersion {
  major: number;
  minor: number;
  patch: number;
  /** As bpftrace writes it, without the leading "v": "0.23.2", "0.21.0-dirty". */
  text: string;
}

// Anchored to a line's start: with a broken locale or memlock limit, warnings that hold digits precede the
// line. The "v" and the patch are optional because some distributions strip one, some tags lack the other.
const VERSION_LINE = /^\s*(?:bpftrace\s+)?v?((\d+)\.(\d+)(?:\.(\d+))?(?:[-+~][\w.+~-]*)?)\s*$/m;

/** Reads what `bpftrace --version` prints; undefined when no line of it is a version. */
export function parseVersion(text: string): BpftraceVersion | undefined {
  const match = VERSION_LINE.exec(text);
  if (match === null) return undefined;
  const [, written = '', major, minor, patch = '0'] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), text: written };
}

/** Whether `version` is `release` or newer. A suffix ("-dirty", "-rc1") counts as the release it names. */
export function atLeast(version: BpftraceVersion, release: Release): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return version.major > major || (version.major === major && version.minor >= minor);
}

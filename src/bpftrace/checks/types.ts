/** A capability check has three answers: yes, no, and could not tell. */
export type Answer = 'yes' | 'no' | 'unknown';

export interface Check {
  name: string;
  /** `yes` is always the good answer: `lockdown: yes` means that lockdown stands in nobody's way. */
  answer: Answer;
  /** The server cannot do its work without it; otherwise only some programs need it. */
  required: boolean;
  /** What was seen, in one line. */
  detail: string;
  /** What a person on the host can do about it. Present whenever the answer is not `yes`. */
  action?: string;
}

/** A yes needs no action; every other answer has one: the two functions keep that true by construction. */
export function yes(name: string, required: boolean, detail: string): Check {
  return { name, answer: 'yes', required, detail };
}

export function notYes(
  name: string,
  required: boolean,
  answer: 'no' | 'unknown',
  detail: string,
  action: string,
): Check {
  return { name, answer, required, detail, action };
}

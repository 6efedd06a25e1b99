import type { HostGuard } from './host-guard.js';

const LOOK_EVERY_MS = 2000;
/** In a row, before what runs is ended: one look may fall into a moment. */
const LOOKS = 2;

/** Calls back, with what is wrong, when the machine stays in distress while something runs. Ends with the signal. */
export function watchHost(
  guard: HostGuard,
  isRunning: () => boolean,
  onDistress: (distress: string) => void,
  over: AbortSignal,
): void {
  if (guard.isOff) return;
  let seen = 0;
  const timer = setInterval(() => {
    const distress = isRunning() ? guard.distress() : undefined;
    seen = distress === undefined ? 0 : seen + 1;
    if (distress === undefined || seen < LOOKS) return;
    seen = 0;
    onDistress(distress);
  }, LOOK_EVERY_MS);
  timer.unref();
  over.addEventListener('abort', () => clearInterval(timer));
}

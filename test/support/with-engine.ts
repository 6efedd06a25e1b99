import { createEngine, type EndReport, type TraceEngine } from '../../src/engine/index.js';
import { BPFTRACE } from './server.js';

/** An engine of the library's for one test. @param ended is given what is told of each execution's end */
export async function withEngine<T>(
  options: Parameters<typeof createEngine>[0],
  act: (engine: TraceEngine) => Promise<T>,
  ended: EndReport[] = [],
): Promise<T> {
  const engine = createEngine({ bpftrace: BPFTRACE, ...options }, { onEnd: report => ended.push(report) });
  try {
    return await act(engine);
  } finally {
    await engine.close({ hurry: true });
  }
}

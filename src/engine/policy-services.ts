import type { Installation } from '../bpftrace/installation.js';
import { ProbeIndex } from '../bpftrace/probes/index.js';
import { argsUnder } from '../bpftrace/spawn-plan.js';
import type { ProbeThread } from '../contract/probes.js';
import type { SpawnPlan } from '../contract/trace.js';
import type { Policy, Profile } from '../policy/policy.js';
import { HostFiles } from '../recording/host-files.js';
import type { Replay } from '../recording/replay.js';
import { Diagnostician } from './diagnostician.js';
import { type CompilationQueue, Validator } from './validator.js';

interface ServiceParts {
  installation: Installation;
  probeThread: ProbeThread;
  /** Compilations, of all policies. */
  compiling: CompilationQueue;
  /** A bpftrace that lists, or compiles. @throws Refusal */
  plan: (args: readonly string[], lifetimeMs?: number) => SpawnPlan;
  replay: Replay | undefined;
}

/**
 * What a policy shapes: whose symbols may be looked at, how a program is compiled, what may be tried again for a
 * better diagnosis. One for each policy under which somebody is served; the lists of probes are the same for all.
 */
class PolicyService {
  readonly probes: ProbeIndex;
  readonly diagnostician: Diagnostician;
  readonly validator: Validator;

  constructor(
    readonly policy: Policy,
    { installation, probeThread, compiling, plan, replay }: ServiceParts,
  ) {
    this.probes = new ProbeIndex(probeThread, {
      ...(replay && { isElsewhere: true }),
      // What was listed then was allowed then.
      requireBinary: path => {
        if (!replay) policy.requireBinary(path);
      },
      identity: () => installation.identity,
      plan,
    });
    this.diagnostician = new Diagnostician({
      probes: this.probes,
      version: () => installation.version(),
      hostFiles: new HostFiles(replay?.folder ?? ''),
      // What BEGIN does is done again: printing, unless more is allowed.
      ...(policy.profile !== 'unsafe' && { again: plan }),
    });
    this.validator = new Validator({
      version: () => installation.version(),
      plan: (args, lifetimeMs) => plan(argsUnder(policy.profile, args), lifetimeMs),
      lists: this.probes,
      explain: (stderr, program) => this.diagnostician.explain(stderr, { program }),
      queue: compiling,
    });
  }

  close(): void {
    this.validator.close();
    this.diagnostician.close();
  }
}

/** Each is made when somebody is first served under its policy. */
export class PolicyServices {
  private readonly known = new Map<Profile, PolicyService>();

  constructor(private readonly parts: ServiceParts) {}

  of(policy: Policy): PolicyService {
    const known = this.known.get(policy.profile) ?? new PolicyService(policy, this.parts);
    this.known.set(policy.profile, known);
    return known;
  }

  close(): void {
    for (const service of this.known.values()) service.close();
  }
}

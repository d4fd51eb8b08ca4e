/** Who is attacked, and how hard. */
interface Target {
  readonly port: number;
  readonly more: readonly string[];
}

/** What an attacker counts while it attacks: for those who read a failed test. */
export type Did = (what: string) => void;

/** Resolves when it attacks, which it does until the signal is aborted. */
export type Attack = (did: Did, over: AbortSignal) => Attacking | Promise<Attacking>;

export interface Attacking {
  /** When it does nothing any more. */
  readonly ended: Promise<void>;
}

/** Gets ready once, before the first attack. */
export type PrepareAttack = (target: Target) => Attack | Promise<Attack>;

const TICK_MS = 10;

/** Does something so many times a second, in bursts of a few milliseconds, until the signal is aborted. */
export function atRate(perSecond: number, over: AbortSignal, act: (count: number) => void): Attacking {
  const beganMs = performance.now();
  let done = 0;
  const ended = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = ((performance.now() - beganMs) / 1_000) * perSecond;
      while (done < due && !over.aborted) act(done++);
    }, TICK_MS);
    over.addEventListener('abort', () => {
      clearInterval(timer);
      resolve();
    });
  });
  return { ended };
}

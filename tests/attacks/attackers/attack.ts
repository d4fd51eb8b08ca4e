/** Target and parameters of an attack. */
interface Target {
  readonly port: number;
  readonly more: readonly string[];
}

/** Counts an action of the attacker, for the message of a failed test. */
export type Did = (what: string) => void;

/** Starts an attack, which runs until the signal is aborted. Resolves when it is running. */
export type Attack = (did: Did, over: AbortSignal) => Attacking | Promise<Attacking>;

export interface Attacking {
  /** Resolves when the attack has ended. */
  readonly ended: Promise<void>;
}

/** Prepares an attack once, before its first round. */
export type PrepareAttack = (target: Target) => Attack | Promise<Attack>;

const TICK_MS = 10;

/** Calls `act` at `perSecond`, in bursts of a few milliseconds, until the signal is aborted. */
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

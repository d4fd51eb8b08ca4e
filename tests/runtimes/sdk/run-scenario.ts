import type { WebSocketLike } from '@groupcast/client';
import { SCENARIOS } from './scenarios.ts';
import { type Direction, type Opening, type Options, Stage } from './stage.ts';

/** Messages of the runtime on the control connection. */
export type Request = { readonly id: number; readonly direction: Direction } | Result;

export type Result = { readonly passed: true } | { readonly failed: string };

/** Answer to a direction. Without an error it was carried out. */
export interface Answer {
  readonly id: number;
  readonly error?: string;
}

/**
 * Connects to the test, runs the scenario that it names, and sends the result. Resolves when the
 * test has the result. `options` are those that this runtime needs. The control connection is a
 * WebSocket, because every runtime has one.
 */
export function runScenario(
  controlUrl: string,
  Control: new (url: string) => WebSocketLike,
  options: Options = {},
): Promise<void> {
  const control = new Control(controlUrl);
  const say = (request: Request): void => control.send(JSON.stringify(request));
  const pending = new Map<number, (answer: Answer) => void>();
  let directions = 0;
  const direct = async (direction: Direction): Promise<void> => {
    const id = directions++;
    const answered = new Promise<Answer>((resolve) => pending.set(id, resolve));
    say({ id, direction });
    const { error } = await answered;
    if (error !== undefined) throw new Error(error);
  };
  return new Promise((resolve) => {
    control.addEventListener('message', ({ data }) => {
      const received = JSON.parse(String(data)) as Opening | Answer;
      if ('id' in received) {
        pending.get(received.id)?.(received);
        return;
      }
      void play(received.scenario, new Stage(received, options, direct)).then(say);
    });
    // The test closes the connection after the result, so that no runtime ends before it is sent.
    control.addEventListener('close', () => resolve());
  });
}

async function play(name: string, stage: Stage): Promise<Result> {
  try {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`There is no scenario "${name}".`);
    await scenario(stage);
    return { passed: true };
  } catch (error) {
    return { failed: String((error as Error).stack ?? error) };
  } finally {
    stage.close();
  }
}

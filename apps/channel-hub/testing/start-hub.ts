import type { Log } from '@groupcast/service';
import { onTestFinished } from 'vitest';
import { createHub, type Hub } from '../src/hub.ts';
import type { HubOptionsInput } from '../src/options.ts';
import type { PeerEnd } from '../src/peer/peer-end.ts';

/** One line of a log. */
interface LogLine {
  readonly level: keyof Log;
  readonly fields: object;
  readonly message: string;
}

/** A hub on a free port of this host, closed at the end of the test. */
export interface RunningHub {
  readonly hub: Hub;
  readonly port: number;
  readonly lines: LogLine[];
}

export async function startHub(options: HubOptionsInput = {}): Promise<RunningHub> {
  const lines: LogLine[] = [];
  const hub = createHub({ port: 0, log: recordingLog(lines), ...options });
  onTestFinished(() => hub.close());
  const { port } = await hub.listen();
  return { hub, port, lines };
}

/** Resolves when `isTrue` returns true; calls it once in each event-loop turn. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(setImmediate);
}

/** Resolves when `count` peers have ended for this reason. */
export function closedAs(hub: Hub, end: PeerEnd, count = 1): Promise<void> {
  return until(() => hub.stats().closed[end] === count);
}

function recordingLog(lines: LogLine[]): Log {
  const record = (level: keyof Log) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
}

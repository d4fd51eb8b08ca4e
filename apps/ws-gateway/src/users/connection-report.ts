import { limits, utf8ByteLength } from '@groupcast/protocol';
import type { OpenConnection } from './excess-connections.ts';

/** Connections of a user that one report may have: those of one worker. */
export const REPORTED_CONNECTIONS_MAX = 1_000;

/** The connections of a user that one worker has. */
export interface ConnectionReport {
  /** Id of the worker. */
  readonly worker: string;
  /** Connections whose time is known. */
  readonly open: readonly OpenConnection[];
  /** Client ids of connections that are opened by this report: its time is theirs. */
  readonly opened: readonly string[];
}

/** Returns the text of a report. */
export function encodeReport({ worker, open, opened }: ConnectionReport): string {
  const times = open.map(({ clientId, openedMs }) => [clientId, openedMs]);
  return JSON.stringify({ worker, open: times, opened });
}

/** Parses a report of a peer. Returns undefined for anything else. */
export function parseReport(payload: Uint8Array): ConnectionReport | undefined {
  const { worker, open, opened } = objectOf(payload) ?? {};
  if (!isId(worker) || !isList(open) || !isList(opened)) return undefined;
  if (open.length + opened.length > REPORTED_CONNECTIONS_MAX || !opened.every(isId)) return undefined;
  const connections: OpenConnection[] = [];
  for (const entry of open) {
    if (!isList(entry)) return undefined;
    const [clientId, openedMs] = entry;
    if (!isId(clientId) || !isTime(openedMs)) return undefined;
    connections.push({ clientId, openedMs, worker });
  }
  return { worker, open: connections, opened };
}

function objectOf(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isId(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  const bytes = utf8ByteLength(value);
  return bytes > 0 && bytes <= limits.SHORT_TEXT_BYTES_MAX;
}

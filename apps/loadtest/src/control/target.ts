import { connect } from 'node:net';
import { LoadtestError } from '../loadtest-error.ts';
import type { Target } from './messages.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const PORTS = { 'ws:': 80, 'wss:': 443 } as const;

/** Parts of a URL, before its host is resolved. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly path: string | null;
}

/** Returns why a text is no valid URL of a server, or undefined if it is one. */
export function urlProblem(text: string): string | undefined {
  return readUrl(text) === undefined
    ? 'a URL such as ws://127.0.0.1:1234 or wss://example.org/ws'
    : undefined;
}

/**
 * Resolves a URL with a connection that is closed at once. An unreachable server is found before
 * the other processes start, and the name is resolved once for all.
 *
 * @throws LoadtestError `unreachable`.
 */
export async function findTarget(url: string): Promise<Target> {
  const place = readUrl(url);
  if (place === undefined)
    throw new LoadtestError('setup', `"${url}" is not a valid URL of a WebSocket server.`);
  const { host, port } = place;
  return {
    address: await reach(host, port, url),
    port,
    tlsName: place.tls ? host : null,
    host: new URL(url).host,
    path: place.path,
  };
}

function readUrl(text: string): Place | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  const { protocol } = url;
  if (protocol !== 'ws:' && protocol !== 'wss:') return undefined;
  const path = `${url.pathname}${url.search}`;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? PORTS[protocol] : Number(url.port),
    tls: protocol === 'wss:',
    path: path === '/' ? null : path,
  };
}

function reach(host: string, port: number, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const fail = (why: string, cause?: Error): void => {
      socket.destroy();
      reject(
        new LoadtestError(
          'unreachable',
          `No server listens at ${url} (${why}). Start it, or give another URL.`,
          {
            cause,
          },
        ),
      );
    };
    socket.on('connect', () => {
      const { remoteAddress } = socket;
      socket.destroy();
      if (remoteAddress === undefined) fail('it closed the connection at once');
      else resolve(remoteAddress);
    });
    socket.on('timeout', () => fail('it does not answer'));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message, error));
  });
}

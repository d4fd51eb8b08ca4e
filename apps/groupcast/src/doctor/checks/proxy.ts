import { randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { printable } from '@groupcast/service';
import { type Finding, reasonOf } from '../finding.ts';

const CHECK = 'proxy';

/** Subprotocol of the handshake. Every gateway accepts it: a missing one was removed on the way. */
const SUBPROTOCOL = 'groupcast.v1';

const UPGRADE_ADVICE =
  'Forward "Upgrade" and "Connection" with HTTP/1.1; the folder deploy/ has configurations of proxies.';

/** Response to a WebSocket handshake. */
export interface HandshakeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Makes a WebSocket handshake through the proxy, and checks which of its headers arrived. */
export async function checkProxy(url: URL | undefined, timeoutMs: number): Promise<Finding> {
  if (url === undefined) {
    return { state: 'skipped', check: CHECK, text: 'Give --url with the address that clients use.' };
  }
  try {
    return findingOf(url, await handshake(url, timeoutMs));
  } catch (error) {
    const text = `${url.origin} cannot be reached: ${reasonOf(error)}. Check the address, and that the proxy runs.`;
    return { state: 'fault', check: CHECK, text };
  }
}

/** Judges a response. */
export function findingOf(url: URL, { status, headers }: HandshakeResponse): Finding {
  const fault = (text: string): Finding => ({ state: 'fault', check: CHECK, text });
  if (status === 101) {
    if (headers['sec-websocket-protocol'] === SUBPROTOCOL) {
      return { state: 'ok', check: CHECK, text: `${url.href} passes WebSocket handshakes.` };
    }
    return fault('The proxy drops "Sec-WebSocket-Protocol": clients of the SDK fail. Forward all headers.');
  }
  if (status === 426 || status === 200) {
    return fault(`The proxy drops "Upgrade" or "Connection" (status ${status}). ${UPGRADE_ADVICE}`);
  }
  if (status >= 300 && status < 400) {
    const to = printable(headers.location ?? 'an unknown address');
    return fault(
      `The proxy redirects to ${to} (status ${status}), and WebSockets follow no redirect. Use that address.`,
    );
  }
  if (status === 403) {
    return fault(
      'The handshake is forbidden (status 403). Check --allowed-origins, and the rules of the proxy.',
    );
  }
  if (status === 404) {
    return fault(
      'The proxy has no such path (status 404). Check the path of --url against its configuration.',
    );
  }
  if (status >= 502 && status <= 504) {
    return fault(
      `The proxy cannot reach a gateway (status ${status}). Check that one runs, and its --host and --port.`,
    );
  }
  return fault(`The handshake got status ${status} instead of 101. The logs of proxy and gateway say more.`);
}

function handshake(url: URL, timeoutMs: number): Promise<HandshakeResponse> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Protocol': SUBPROTOCOL,
    };
    const sent = request(url, { headers, agent: false, timeout: timeoutMs });
    const end = ({
      statusCode = 0,
      headers,
    }: {
      statusCode?: number | undefined;
      headers: IncomingHttpHeaders;
    }) => {
      resolve({ status: statusCode, headers });
      sent.destroy();
    };
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      end(response);
    });
    sent.on('response', end);
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on('error', reject);
    sent.end();
  });
}

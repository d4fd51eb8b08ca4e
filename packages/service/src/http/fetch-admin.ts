import { type IncomingMessage, request } from 'node:http';
import { printable } from '../log/printable.ts';
import { AdminError } from './admin-error.ts';
import { formatAddress } from './format-address.ts';

const DEADLINE_MS = 5_000;
/** Limit of a response in bytes; that of the largest gateway is far smaller. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Fetches the JSON at `path` from the admin port of a running service. `service` is its name, for
 * errors. The result is unchecked: any program may listen on the port.
 *
 * @throws AdminError `unreachable`, `timeout` (5 s), `bad_status`, or `bad_answer` (not JSON, or
 * more than 16 MiB).
 */
export async function fetchAdmin(
  host: string,
  port: number,
  path: string,
  service: string,
): Promise<unknown> {
  const where = formatAddress(host, port);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), DEADLINE_MS);
  let status: number | undefined;
  let body: string;
  try {
    const response = await get(host, port, path, deadline.signal);
    status = response.statusCode;
    body = await readBody(response, where);
  } catch (error) {
    if (error instanceof AdminError) throw error;
    if (deadline.signal.aborted) {
      const message = `${where} did not answer within ${DEADLINE_MS / 1000} s; is it ${service}, and is it overloaded?`;
      throw new AdminError('timeout', message, { cause: error });
    }
    const message = `Nothing answers on ${where}; is ${service} running? --admin-host and --admin-port say where to ask.`;
    throw new AdminError('unreachable', message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  if (status !== 200) {
    const said = printable(body.trim());
    throw new AdminError(
      'bad_status',
      `${where} answered ${path} with status ${status}: ${said} Is it ${service}?`,
    );
  }
  try {
    return JSON.parse(body);
  } catch (error) {
    const message = `${where} answered ${path} with something other than JSON; is it ${service}?`;
    throw new AdminError('bad_answer', message, { cause: error });
  }
}

function get(host: string, port: number, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // No agent: the connection must not outlive the command.
    request({ host, port, path, signal, agent: false }, resolve).on('error', reject).end();
  });
}

async function readBody(response: IncomingMessage, where: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop by a throw also ends the connection.
    if (bytes > ANSWER_BYTES_MAX)
      throw new AdminError('bad_answer', `${where} sent more than ${ANSWER_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

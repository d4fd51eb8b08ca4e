import { get } from 'node:http';

const REQUEST_MS = 5_000;

export interface AdminReply {
  readonly status: number;
  readonly body: string;
}

/**
 * One GET on a connection of its own: a kept one could belong to a process that was killed since.
 */
export function adminRequest(port: number, path: string): Promise<AdminReply> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: REQUEST_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`No answer to ${path} in ${REQUEST_MS} ms.`)));
    request.on('error', reject);
  });
}

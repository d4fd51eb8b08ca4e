import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';

export interface PrefixProxy {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts a proxy that serves a gateway below a path, as `location /live/` of nginx: the prefix is
 * removed, and the path without its last slash is redirected, also for WebSockets.
 */
export async function startPrefixProxy(prefix: string, target: number): Promise<PrefixProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    const path = pathBelow(incoming);
    if (path === undefined) return response.writeHead(301, { location: prefix }).end();
    const forwarded = request({ port: target, path, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    return forwarded.end();
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head) => {
    const path = pathBelow(incoming);
    if (path === undefined) {
      socket.end(`HTTP/1.1 301 Moved\r\nLocation: ${prefix}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const lines = incoming.rawHeaders.flatMap((text, at, all) =>
      at % 2 === 0 ? [`${text}: ${all[at + 1]}`] : [],
    );
    const upstream = connect(target);
    sockets.add(upstream);
    for (const end of [socket, upstream]) end.on('error', () => {});
    upstream.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
  });

  function pathBelow({ url = '' }: IncomingMessage): string | undefined {
    return url.startsWith(prefix) ? url.slice(prefix.length - 1) : undefined;
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

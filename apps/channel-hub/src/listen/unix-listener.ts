import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { HubError } from '../hub-error.ts';

/** Where a hub listens beside its port, for peers of the same host. */
export interface UnixSocket {
  /** Path of the socket file. */
  readonly path: string;
  /** Who may connect, as the permissions of a file: 0o600 is whoever runs the hub. */
  readonly mode: number;
}

/**
 * Makes a server listen on a Unix socket. A socket file that a hub has left behind, and that nobody listens on, is taken away first; the server takes its own away
 * when it closes. Rejects with HubError `socket_in_use` where somebody listens, and with Node's own error where the file cannot be made.
 */
export async function listenOnUnixSocket(server: Server, { path, mode }: UnixSocket): Promise<void> {
  if (await isListenedOn(path)) {
    throw new HubError(
      'socket_in_use',
      `Another process listens on ${path}. End it, or choose another file.`,
    );
  }
  // Nobody may come in between the making of the file and the change of its permissions.
  const umask = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  chmodSync(path, mode);
}

/** Takes away a socket file on which nobody listens. */
async function isListenedOn(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // A file that is no socket refuses, too, and is somebody's: `listen` says so, as it tells of any other error.
    const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
    if (isRefused && lstatSync(path).isSocket()) unlinkSync(path);
    return false;
  } finally {
    socket.destroy();
  }
}

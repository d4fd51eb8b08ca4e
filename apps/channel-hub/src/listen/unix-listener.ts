import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { HubError } from '../hub-error.ts';
import { unixSocketError } from './unix-socket-error.ts';

/** A Unix socket on which a hub listens beside its port. */
export interface UnixSocket {
  /** Path of the socket file. */
  readonly path: string;
  /** Permissions of the file, which decide who may connect: 0o600 is the user of the hub. */
  readonly mode: number;
}

/**
 * Makes a server listen on a Unix socket; removes a stale socket file first. The server removes its
 * own when it closes. Rejects with HubError: `socket_in_use` if another process listens,
 * `unix_socket` if the file cannot be created.
 */
export async function listenOnUnixSocket(server: Server, socket: UnixSocket): Promise<void> {
  const { path } = socket;
  try {
    if ((await removeStaleSocket(path)) === 'free') await listen(server, socket);
    else {
      const sentence = `Another process listens on ${path}. Stop it, or choose another file.`;
      throw new HubError('socket_in_use', sentence);
    }
  } catch (error) {
    throw error instanceof HubError ? error : unixSocketError(path, error);
  }
}

async function listen(server: Server, { path, mode }: UnixSocket): Promise<void> {
  // No other user may connect between the creation of the file and the change of its mode.
  const umask = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  chmodSync(path, mode);
}

/** Removes a socket file on which no process listens. */
async function removeStaleSocket(path: string): Promise<'in_use' | 'free'> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return 'in_use';
  } catch (error) {
    // A regular file refuses too, and stays: `listen` fails with it, as with any other error.
    const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
    if (isRefused && lstatSync(path).isSocket()) unlinkSync(path);
    return 'free';
  } finally {
    socket.destroy();
  }
}

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clientFrame, handshake, TEXT } from '@groupcast/testkit/in-process';

/**
 * Opens a plain connection to a gateway on this host, and resolves with its socket when it has
 * joined the group: the first bytes are the ack. Errors of the socket are ignored: the gateway may
 * reset it.
 */
export async function joinUnread(port: number, group: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  socket.write(handshake());
  socket.write(clientFrame(TEXT, JSON.stringify({ cmd: 'add_group', group_id: group, id: 1 })));
  let received = '';
  while (!received.includes('"ack"')) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    received += bytes.toString('latin1');
  }
  return socket;
}

import { connect } from 'node:net';
import { handshake } from '@groupcast/testkit/in-process';
import { atRate, type PrepareAttack } from './attack.ts';

const PER_SECOND = 60;
const HEADER_BYTES = 3_700;

/** Requests whose header is white space, followed by an invalid byte. */
export const slowHandshakes: PrepareAttack =
  ({ port }) =>
  (did, over) => {
    const lines = ['\t', ' '].map((blank) => `X:${blank.repeat(HEADER_BYTES)}\x01`);
    return atRate(PER_SECOND, over, (count) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('error', () => did('broken off'));
      socket.on('data', (bytes: Buffer) => did(bytes.toString('latin1', 0, 12)));
      socket.write(handshake([lines[count % lines.length] ?? '']));
      did('sent');
      over.addEventListener('abort', () => socket.destroy());
    });
  };

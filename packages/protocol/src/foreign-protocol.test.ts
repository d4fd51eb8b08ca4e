import { describe, expect, test } from 'vitest';
import { foreignProtocol } from './foreign-protocol.ts';
import { FrameDecoder } from './frame.ts';
import { FRAME_BYTES_CEILING } from './limits.ts';
import type { ProtocolError } from './protocol-error.ts';

/** First bytes of a TLS 1.3 ClientHello and of an alert. */
const CLIENT_HELLO = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
const ALERT = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46];

function faultOf(bytes: readonly number[], chunkBytes: number): ProtocolError {
  const decoder = new FrameDecoder();
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      decoder.push(Uint8Array.from(bytes.slice(at, at + chunkBytes)), () => {});
    }
  } catch (error) {
    return error as ProtocolError;
  }
  throw new Error('The decoder accepted the bytes.');
}

describe.each([1, 4, 64])('bytes that are no frame, %d at a time', (chunkBytes) => {
  test.each([
    ['a TLS ClientHello', CLIENT_HELLO, 'speaks TLS'],
    ['a TLS alert', ALERT, 'speaks TLS'],
    ['an HTTP request', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'speaks HTTP'],
    ['an HTTP response', [...Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], 'speaks HTTP'],
  ])('%s is named', (_name, bytes, sentence) => {
    const error = faultOf(bytes, chunkBytes);
    expect(error.code).toBe('bad_length');
    expect(error.message).toContain(sentence);
  });

  test('other bytes are a length', () => {
    expect(faultOf([0x16, 0x04, 0x01, 0x02], chunkBytes).message).toContain('A frame of 369361154 bytes');
  });
});

test('no valid length is another protocol', () => {
  for (let length = 0; length <= FRAME_BYTES_CEILING; length += 65_521) {
    expect(foreignProtocol(length)).toBeUndefined();
  }
  expect(foreignProtocol(FRAME_BYTES_CEILING)).toBeUndefined();
  expect(foreignProtocol(0xff_ff_ff_ff)).toBeUndefined();
});

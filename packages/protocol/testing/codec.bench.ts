import { bench, describe } from 'vitest';
import { FrameDecoder, native } from '../src/index.ts';
import { parseClientCommand } from '../src/schema/index.ts';

const PUBLICATION: native.Publication = {
  channel: 'group:123',
  kind: 'text',
  excludeSender: false,
  sender: 'AAECAwQFBgcICQoLDA0ODw',
  messageId: '',
  payload: new TextEncoder().encode('x'.repeat(128)),
  number: 1,
};
const FRAME = native.encodeDeliver(PUBLICATION);
const CHUNK = Buffer.concat(Array.from({ length: 100 }, () => FRAME));
const TEXT = `{"cmd":"send_to_group","group_id":"123","message":"${'x'.repeat(128)}"}`;

describe('one message of 128 bytes', () => {
  bench('a command of a client is read', () => {
    parseClientCommand(TEXT);
  });
  bench('JSON.parse alone, to compare', () => {
    JSON.parse(TEXT);
  });
  bench('a publication is encoded', () => {
    native.encodeDeliver(PUBLICATION);
  });
  bench('a publication is decoded', () => {
    native.decodePublication(FRAME);
  });
});

describe('100 frames in one chunk', () => {
  const decoder = new FrameDecoder();
  bench('are cut', () => {
    decoder.push(CHUNK, () => {});
  });
});

import { encodeText } from '@groupcast/protocol';
import { parseClientCommand } from '@groupcast/protocol/schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncodedBatch } from '../groups/encoded-batch.ts';
import { frameBytesMax } from './client-events.ts';

/** Of a plain connection; that of a session is as long. */
const CLIENT_ID = 'i'.repeat(22);

const NAMES = ['g', '"""', 'g'.repeat(255), '\u3042'.repeat(85)];
const SPECIAL = ['"', '\\', '\n', '\u0001', '\u007f', 'a', '\u00e9', '\u3042', '\u{1f600}', '{', '['];

/** A value as a client may write it: short or long, with white space or none. */
const json = fc
  .tuple(
    fc.oneof(
      fc.string({ unit: fc.constantFrom(...SPECIAL) }),
      fc.jsonValue({ stringUnit: 'grapheme' }),
      fc.constantFrom(1, true, null, [], ['"'.repeat(100)]),
    ),
    fc.constantFrom(undefined, '\t', '\n\r'),
  )
  .map(([value, space]) => JSON.stringify(value, undefined, space));

test('a frame of a message is never longer than what its group is charged', () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), json, fc.maxSafeNat(), (name, value, number) => {
      const text = `{"cmd":"send_to_group","group_id":${JSON.stringify(name)},"message":${value}}`;
      const command = parseClientCommand(text);
      if (command.cmd !== 'send_to_group') throw new Error('That is another command.');
      const payload = encodeText(command.message);
      const charged = frameBytesMax(command.message, Buffer.byteLength(text));
      for (const mode of ['plain', 'v1'] as const) {
        const batch = new EncodedBatch(name, [
          {
            channel: '',
            kind: 'text',
            excludeSender: false,
            sender: CLIENT_ID,
            messageId: '',
            payload,
            number,
          },
        ]);
        expect(batch.frames(mode).length).toBeLessThanOrEqual(charged);
      }
    }),
    { numRuns: 1_000 },
  );
});

import { encodeText, native } from '@groupcast/protocol';
import { parseClientCommand } from '@groupcast/protocol/schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identityOf } from '../../testing/identity-of.ts';
import { metaOf } from '../auth/uid-meta.ts';
import { CLIENT_PROTOCOLS } from './client-protocols.ts';
import { frameBytesMax } from './frame-bytes-max.ts';

/** A client id, which is as long in every protocol. */
const CLIENT_ID = 'i'.repeat(22);

/** Users with short and long ids, in one and in several bytes and with escapes; undefined: none. */
const UIDS = [undefined, 'u', 'u'.repeat(255), '"'.repeat(255), '\u3042'.repeat(85)];

const NAMES = ['g', '"""', 'g'.repeat(255), '\u3042'.repeat(85)];
const SPECIAL = ['"', '\\', '\n', '\u0001', '\u007f', 'a', '\u00e9', '\u3042', '\u{1f600}', '{', '['];

/** Values as clients may write them: short or long, with or without white space. */
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

test('no protocol makes a longer frame than its group is charged for', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NAMES),
      json,
      fc.maxSafeNat(),
      fc.constantFrom(...UIDS),
      (name, value, number, uid) => {
        const text = `{"cmd":"send_to_group","group_id":${JSON.stringify(name)},"message":${value}}`;
        const command = parseClientCommand(text);
        if (command.cmd !== 'send_to_group') throw new Error('That is another command.');
        const payload = encodeText(command.message);
        const meta = uid === undefined ? undefined : metaOf(identityOf(uid));
        const charged = frameBytesMax(command.message, Buffer.byteLength(text), meta?.bytes);
        const publication: native.Publication = {
          ...native.PUBLICATION_DEFAULTS,
          channel: '',
          kind: 'text',
          excludeSender: false,
          sender: CLIENT_ID,
          messageId: '',
          meta: meta?.text ?? '',
          payload,
          number,
          timeMs: number,
        };
        for (const protocol of CLIENT_PROTOCOLS) {
          expect(protocol.encodeMessages(name, [publication]).length).toBeLessThanOrEqual(charged);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

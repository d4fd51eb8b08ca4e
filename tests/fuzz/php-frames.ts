import { encodeFrame, encodeText, php } from '@groupcast/protocol';
import type { Random } from '../faults/random.ts';
import { channelName, queueName, several, watchedName } from './names.ts';

/** Serialized values, usual and unusual ones. */
const VALUES = [
  's:5:"hello";',
  's:0:"";',
  's:15:"これはメ日";',
  'i:-9223372036854775808;',
  'i:9007199254740993;',
  'd:1;',
  'd:1.0E+25;',
  'd:-INF;',
  'd:NAN;',
  'b:1;',
  'N;',
  'a:0:{}',
  'a:2:{s:8:"group_id";s:3:"123";s:7:"message";s:2:"hi";}',
  'a:2:{s:8:"group_id";i:1;s:7:"message";a:2:{i:0;d:0.1;s:1:"x";b:0;}}',
  'a:2:{s:8:"group_id";a:0:{}s:7:"message";N;}',
  'a:3:{s:9:"__proto__";a:1:{s:8:"polluted";i:1;}i:-5;N;s:2:"07";s:1:"k";}',
  'a:1:{i:0;a:1:{i:0;a:1:{i:0;a:1:{s:4:"deep";N;}}}}',
] as const;

/** Bytes that are no UTF-8. */
const BINARY: Uint8Array = Buffer.from('s:4:"\xff\xfe\x00\x80";', 'latin1');

const BAD_NAMES: readonly php.PhpValue[] = [
  '',
  'a\n',
  'x'.repeat(321),
  Uint8Array.of(0xc4, 0xe3),
  null,
  true,
  php.PhpArray.list(['a']),
];

/** Encodes a request as PHP's `Channel\Client` does. */
export function phpFrame(random: Random): Uint8Array {
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return request('subscribe', phpNames(random));
    case 2:
      return request('unsubscribe', phpNames(random));
    case 3:
    case 4:
      return request('publish', phpNames(random), value(random));
    case 5:
      return request('publishLoop', phpNames(random), value(random));
    case 6:
      return request('enqueue', several(random, queueName), value(random));
    case 7:
      return request('watch', several(random, watchedName));
    case 8:
      return request('unwatch', several(random, watchedName));
    default:
      return request('reserve', []);
  }
}

/** Makes names of events, some invalid; sometimes more than one step processes. */
function phpNames(random: Random): php.PhpValue[] {
  const countMax = random.next() < 0.02 ? 300 : 3;
  return several(random, channelName, countMax).map((name) =>
    random.next() < 0.05 ? random.pick(BAD_NAMES) : name,
  );
}

export function phpRequest(type: string, channels: readonly string[], data?: string): Uint8Array {
  return request(type, channels, data === undefined ? undefined : encodeText(data));
}

export function phpValue(random: Random): Uint8Array {
  return value(random);
}

function value(random: Random): Uint8Array {
  return random.next() < 0.1 ? BINARY : encodeText(random.pick(VALUES));
}

function request(type: string, channels: readonly php.PhpValue[], data?: Uint8Array): Uint8Array {
  const names = php.encodePhp(php.PhpArray.list(channels));
  const head = `a:${data === undefined ? 2 : 3}:{s:4:"type";s:${type.length}:"${type}";s:8:"channels";`;
  const parts = data === undefined ? [] : [encodeText('s:4:"data";'), data];
  return encodeFrame(Buffer.concat([encodeText(head), names, ...parts, encodeText('}')]));
}

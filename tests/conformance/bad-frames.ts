/**
 * Rows H1, H3 and H5: bytes after which the hub closes silently, as soon as it has the first four.
 */
export const BAD_FRAMES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['H1: length 0', hex('00000000')],
  ['H1: length 1', hex('00000001')],
  ['H1: length 2', hex('00000002')],
  ['H1: length 3', hex('00000003')],
  ['H3: one byte above the limit', hex('00a00001')],
  ['H3: a length that is negative when it is read as signed', hex('80000000')],
  ['H3: the largest length', hex('ffffffff')],
  ['H5: HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: hub\r\n\r\n')],
  ['H5: HTTP POST', Buffer.from('POST / HTTP/1.1\r\n')],
  ['H5: TLS', hex('16030100c8010000')],
  ['H5: SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
  ['H5: PROXY', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n')],
  ['H5: RESP', Buffer.from('*1\r\n$4\r\nPING\r\n')],
  ['H5: PHP without a frame', Buffer.from('a:1:{s:4:"type";s:9:"subscribe";}')],
  ['H5: JSON without a frame', Buffer.from('{"type":"publish","channels":["c"],"data":1}')],
];

/** Rows H6 and H9: bodies in a valid frame that close the connection, the first ones silently. */
export const BAD_BODIES: readonly (readonly [name: string, body: Buffer])[] = [
  ['H6: a first byte that names no dialect', Buffer.from('x1')],
  ['H6: a first byte above ASCII', hex('ff00')],
  ['H9: PHP with an object', Buffer.from('a:1:{s:4:"data";O:8:"stdClass":0:{}}')],
];

/**
 * Row H18 and further mistakes of a JSON peer: the code that it gets; the connection stays open.
 */
export const BAD_REQUESTS: readonly (readonly [name: string, text: string, code: string])[] = [
  ['cut JSON', '{"type":"subscribe"', 'bad_json'],
  ['no type', '{}', 'bad_field'],
  ['__proto__ as type', '{"type":"__proto__"}', 'bad_field'],
  ['a type that the hub sends', '{"type":"event","channel":"c","offset":1}', 'bad_field'],
  ['channels that are no array', '{"type":"subscribe","channels":"c"}', 'bad_field'],
  ['channels that are an object', '{"type":"subscribe","channels":{"0":"c"}}', 'bad_field'],
  ['nested channels', '{"type":"subscribe","channels":[["c"]]}', 'bad_field'],
  ['null as a channel', '{"type":"subscribe","channels":[null]}', 'bad_field'],
  ['a fraction as a channel', '{"type":"subscribe","channels":[1.5]}', 'bad_field'],
  ['an empty name', '{"type":"subscribe","channels":[""]}', 'bad_field'],
  ['a line end in a name', '{"type":"subscribe","channels":["canary\\n"]}', 'bad_field'],
  ['no channels', '{"type":"subscribe","channels":[]}', 'bad_field'],
  ['1,025 channels', JSON.stringify({ type: 'subscribe', channels: [...Array(1_025).keys()] }), 'bad_field'],
  [
    'a million channels',
    JSON.stringify({ type: 'subscribe', channels: [...Array(1_000_000).keys()] }),
    'bad_json',
  ],
  ['no data', '{"type":"publish","channels":["c"]}', 'bad_field'],
  [
    'data of depth 5,000',
    `{"type":"publish","channels":["c"],"data":${'['.repeat(5e3)}${']'.repeat(5e3)}}`,
    'bad_json',
  ],
  ['pollution', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', 'bad_field'],
];

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}

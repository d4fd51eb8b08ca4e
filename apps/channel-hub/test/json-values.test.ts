import { decodeText } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { JsonPeer } from '../testing/json-peer.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { startHub } from '../testing/start-hub.ts';

/** Values that JSON.parse and JSON.stringify would change. */
const VALUES = [
  '{"order":9007199254740993}',
  '12345678901234567890',
  '1.0',
  '-0',
  '1e400',
  '{"2":"b","1":"a"}',
  '{"a":1,"a":2}',
  '[ 1 ,\t2 ]',
  '{"__proto__":{"polluted":1}}',
  '["\\u00e9\\/"]',
];

describe('data are delivered byte for byte', () => {
  test.each(VALUES)('of a publish: %s', async (data) => {
    const { port } = await startHub();
    const [publisher, reader] = [await JsonPeer.connect(port), await JsonPeer.connect(port)];
    const native = await NativePeer.open(port);
    await native.subscribe(channel('c'));
    reader.send({ type: 'subscribe', channels: ['c'] });
    await reader.take('subscribed');
    publisher.sendText(`{"type":"publish","channels":["c"],"data": ${data} ,"sender":"me"}`);
    await reader.take('event');
    expect(reader.texts.at(-1)).toContain(`"data":${data},"sender":"me"}`);
    const { publication } = await native.take('deliver');
    expect([publication.kind, decodeText(publication.payload)]).toEqual(['json', data]);
  });

  test.each(VALUES)('of an item of a queue: %s', async (data) => {
    const { port } = await startHub();
    const [producer, consumer] = [await JsonPeer.connect(port), await JsonPeer.connect(port)];
    consumer.send({ type: 'watch', queue: 'jobs' });
    producer.sendText(`{"type":"enqueue","queue":"jobs","data":${data}}`);
    await consumer.take('item');
    expect(consumer.texts.at(-1)).toContain(`"data":${data}}`);
  });
});

test.each(['9007199254740993', '1.0', '-0', '1e3', '1e400'])(
  'an id that would be returned changed is rejected: %s',
  async (id) => {
    const { port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.sendText(`{"type":"ping","id":${id}}`);
    expect(await peer.take('error')).toMatchObject({ code: 'bad_field' });
  },
);

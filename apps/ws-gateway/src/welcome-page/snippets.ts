// The script puts the page's own address in place of this one.
const ADDRESS = '<span data-role="address">ws://127.0.0.1:1234</span>';

/** One snippet of the welcome page. */
export interface Snippet {
  /** Value of its `data-snippet`. */
  readonly key: string;
  readonly title: string;
  /** HTML: code, with the elements that the script changes. */
  readonly html: string;
}

/** The snippet of the origin, for the console of a browser. */
export const CONSOLE_SNIPPET: string = `ws = new WebSocket('${ADDRESS}');
ws.onmessage = function(data){console.log(data.data)};
ws.onopen = function() {
    ws.send('{"cmd":"add_group", "group_id":"123"}');
    ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"これはメッセージです"}');
};`;

/** Code for programs, which talk to the panes of the page. */
export const PROGRAM_SNIPPETS: readonly Snippet[] = [
  {
    key: 'sdk',
    title: 'SDK, in a page or in Node',
    html: `import { GroupcastClient } from '@groupcast/client';

const group = new GroupcastClient('${ADDRESS}').group('123');
group.on('message', ({ message }) =&gt; console.log(message));
await group.join();
await group.send('hello from the SDK');`,
  },
  {
    key: 'php',
    title: 'PHP, on the host of the hub',
    html: `$data = ['group_id' =&gt; '123', 'message' =&gt; 'hello from PHP'];
$body = serialize(['type' =&gt; 'publish', 'channels' =&gt; ['send_to_group'], 'data' =&gt; $data]);
$hub = stream_socket_client('tcp://127.0.0.1:2206');
fwrite($hub, pack('N', 4 + strlen($body)) . $body);`,
  },
  {
    key: 'python',
    title: 'Python, after pip install websockets',
    html: `import asyncio, websockets

async def main():
    async with websockets.connect('${ADDRESS}') as ws:
        await ws.send('{"cmd":"add_group", "group_id":"123"}')
        await ws.send('{"cmd":"send_to_group", "group_id":"123", "message":"hello from Python"}')
        async for message in ws:
            print(message, flush=True)

asyncio.run(main())`,
  },
];

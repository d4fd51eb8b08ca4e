import { GroupcastClient } from '@groupcast/client';
import { createGateway } from '@groupcast/gateway';
import { createHub } from '@groupcast/hub';
import { HubClient } from '@groupcast/hub-client';
import { WebSocket } from 'ws';

const hub = createHub({ port: 0 });
const hubClient = new HubClient({ port: (await hub.listen()).port });
hubClient.connect();
const gateway = createGateway({ hub: hubClient, host: '127.0.0.1', port: 0 });
const client = new GroupcastClient(`ws://127.0.0.1:${(await gateway.listen()).port}`, { WebSocket });

const group = client.group('news');
const arrival = new Promise((resolve) => group.on('message', ({ message }) => resolve(message)));
await group.join();
await group.send('hello');
console.log(await arrival);

client.close();
await gateway.close();
await hubClient.close();
await hub.close();

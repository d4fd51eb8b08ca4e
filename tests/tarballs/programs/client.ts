import { type ClientState, GroupcastClient, GroupcastError, type Message } from '@groupcast/client';

const heard: Message[] = [];
const states: ClientState[] = [];
try {
  const client = new GroupcastClient('no url');
  client.on('state', ({ state }) => states.push(state));
  client.group('news').on('message', (message) => heard.push(message));
} catch (error) {
  console.log(error instanceof GroupcastError);
}

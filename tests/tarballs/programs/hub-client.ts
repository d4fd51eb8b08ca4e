import { HubClient, type HubClientState, OptionError, type Subscriber } from '@groupcast/hub-client';
import { OptionError as OptionErrorOfProtocol, type Position } from '@groupcast/protocol';

const positions: Position[] = [];
const subscriber: Pick<Subscriber, 'subscribed'> = { subscribed: (_, position) => positions.push(position) };
try {
  const client = new HubClient({ port: -1 });
  client.on('state', (state: HubClientState) => console.log(state, subscriber));
} catch (error) {
  // The same class from every package.
  if (!(error instanceof OptionError && error instanceof OptionErrorOfProtocol)) throw error;
  console.log(error.code);
}

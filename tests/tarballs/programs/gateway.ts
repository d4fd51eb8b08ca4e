import {
  type ConnectionState,
  createGateway,
  type Gateway,
  type GatewayOptions,
  OptionError,
  type Position,
} from '@groupcast/gateway';

const start: Position = { epoch: 'first', offset: 0 };

const hub: GatewayOptions['hub'] = {
  subscribe: () => ({ ...start, position: start }),
  unsubscribe: () => {},
  history: () => ({ cancel: () => {} }),
  publishWithAnswer: (_channel, _text, _options, answer) => answer?.accepted(start),
  on: () => {},
  off: () => {},
  readValues: () => ({ cancel: () => {} }),
  keyed: () => ({ isReady: true, on: () => {}, close: () => {} }),
  ban: async () => {},
  unban: async () => {},
  kick: async () => {},
};
const gateway: Gateway = createGateway({ hub, host: '127.0.0.1', port: 0 });
console.log((await gateway.listen()).port > 0);
const states: readonly ConnectionState[] = gateway.connections().map(({ state }) => state);
console.log(states.length);
await gateway.close();
try {
  createGateway({ hub, port: -1 });
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  console.log(error.code);
}

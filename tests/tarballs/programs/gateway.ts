import {
  type ConnectionState,
  createGateway,
  type Gateway,
  type GatewayOptions,
  Grants,
  type Identity,
  OptionError,
  type Position,
  TokenError,
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
const ann: Identity = {
  uid: 'ann',
  tokenId: undefined,
  issuedAt: undefined,
  expiresAt: undefined,
  grants: new Grants({ 'chat:*': ['join'] }, 'ann'),
  groups: [],
  info: undefined,
  limits: {},
};
const verifyToken = async (token: string): Promise<Identity> => {
  if (token === 'of ann') return ann;
  throw new TokenError('invalid', 'Unknown user. Log in again.');
};
const gateway: Gateway = createGateway({ hub, host: '127.0.0.1', port: 0, verifyToken });
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

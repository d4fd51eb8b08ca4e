import { createGateway, type Gateway, type HubPort, OptionError } from '@groupcast/gateway';

const hub: HubPort = {
  subscribe: () => {},
  unsubscribe: () => {},
  history: () => ({ cancel: () => {} }),
  submit: () => {},
};
const gateway: Gateway = createGateway({ hub, host: '127.0.0.1', port: 0 });
console.log((await gateway.listen()).port > 0);
await gateway.close();
try {
  createGateway({ hub, port: -1 });
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  console.log(error.code);
}

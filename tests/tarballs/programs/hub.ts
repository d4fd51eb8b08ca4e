import {
  createHub,
  type Hub,
  HubError,
  type HubOptionsInput,
  type HubTls,
  OptionError,
  type UnixSocket,
} from '@groupcast/hub';

const tls: HubTls | undefined = undefined;
const unixSocket: UnixSocket | undefined = undefined;
const options: HubOptionsInput = { port: 0, tls, unixSocket };
const hub: Hub = createHub(options);
await hub.listen();
await hub.listen().catch((error: unknown) => {
  if (!(error instanceof HubError)) throw error;
  console.log(error.code);
});
await hub.close();
try {
  createHub({ port: -1 });
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  console.log(error.code);
}

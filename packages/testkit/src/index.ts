export { type AdminReply, adminRequest } from './admin-request.ts';
export { CERTIFICATES, certificateFile } from './certificates.ts';
export { EventQueue } from './event-queue.ts';
export { freePort } from './free-port.ts';
export { outerAddress } from './outer-address.ts';
export type { Conditions } from './proxy-pipe.ts';
export { RawSocket, type RawSocketEnd, type RawSocketOptions } from './raw-socket.ts';
export { ALL_RUNTIMES, type Runtime, runtimePath } from './runtimes.ts';
export {
  type GatewayReload,
  type GatewayStats,
  type GatewayWorkerStats,
  launchGateway,
  startGateway,
  type TestGateway,
} from './start-gateway.ts';
export { type HubPeer, type HubStats, launchHub, startHub, type TestHub } from './start-hub.ts';
export { type ProxyDirection, type ProxyTap, TcpProxy, type TcpProxyOptions } from './tcp-proxy.ts';
export { type AppFlags, type AppOptions, REPOSITORY, type TestApp } from './test-app.ts';
export {
  type ClientClose,
  type JsonObject,
  ReceivedMessage,
  TestClient,
  type TestClientOptions,
} from './test-client.ts';
export {
  killAll,
  type ProcessExit,
  type ProcessOptions,
  startProcess,
  type TestProcess,
} from './test-process.ts';
export { until } from './until.ts';

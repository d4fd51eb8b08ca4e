export { type AdminReply, adminRequest } from './apps/admin-request.ts';
export { CERTIFICATES, certificateFile } from './apps/certificates.ts';
export {
  type GatewayReload,
  type GatewayStats,
  type GatewayWorkerStats,
  launchGateway,
  startGateway,
  type TestGateway,
} from './apps/start-gateway.ts';
export { type HubPeer, type HubStats, launchHub, startHub, type TestHub } from './apps/start-hub.ts';
export { type AppFlags, type AppOptions, REPOSITORY, type TestApp } from './apps/test-app.ts';
export { ALL_RUNTIMES, type Runtime, runtimePath } from './processes/runtimes.ts';
export {
  killAll,
  type ProcessExit,
  type ProcessOptions,
  startProcess,
  type TestProcess,
} from './processes/test-process.ts';
export { freePort } from './sockets/free-port.ts';
export { outerAddress } from './sockets/outer-address.ts';
export type { Conditions } from './sockets/proxy-pipe.ts';
export { RawSocket, type RawSocketEnd, type RawSocketOptions } from './sockets/raw-socket.ts';
export { type ProxyDirection, type ProxyTap, TcpProxy, type TcpProxyOptions } from './sockets/tcp-proxy.ts';
export {
  type ClientClose,
  type JsonObject,
  ReceivedMessage,
  TestClient,
  type TestClientOptions,
} from './sockets/test-client.ts';
export { EventQueue } from './waiting/event-queue.ts';
export { until } from './waiting/until.ts';

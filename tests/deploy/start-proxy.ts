import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  freePort,
  startGateway,
  startProcess,
  TestClient,
  type TestClientOptions,
  type TestGateway,
  until,
} from '@groupcast/testkit';
import { findProgram } from '../find-program.ts';
import { type ProxyKind, writeProxyConfig } from './proxy-configs.ts';

/** A proxy that runs in front of a gateway of its own. */
export interface RunningProxy {
  readonly gateway: TestGateway;
  readonly port: number;
  open(options?: TestClientOptions): Promise<TestClient>;
}

/** Starts a gateway and a proxy in front of it, and resolves when a client gets through. */
export async function startProxy(kind: ProxyKind, hub: string): Promise<RunningProxy> {
  const gateway = await startGateway({ hub, drainSeconds: 0, trustedProxy: '127.0.0.1', logLevel: 'debug' });
  const port = await freePort();
  const config = writeProxyConfig(kind, { port, gatewayPort: gateway.port });
  const process = startProcess(findProgram(kind.program) ?? kind.program, kind.run(config));
  let ended = false;
  void process.exited.then(() => {
    ended = true;
    rmSync(dirname(config), { recursive: true });
  });
  const open = (options: TestClientOptions = {}): Promise<TestClient> =>
    TestClient.open(`wss://localhost:${port}`, { rejectUnauthorized: false, family: 4, ...options });
  await until(
    async () => ended || (await open()).close(),
    `${kind.name} to connect to its gateway`,
    () => true,
  );
  if (ended) throw new Error(`${kind.name} ended: ${process.stdout}${process.stderr}`);
  return { gateway, port, open };
}

import { once } from 'node:events';
import { createServer } from 'node:net';
import { AdminError, fetchStats, listenErrorMessage } from '@groupcast/service';
import type { DevConfig } from '../../dev/options.ts';
import type { Finding } from '../finding.ts';

const LOCAL = '127.0.0.1';

type Ports = Pick<DevConfig, 'port' | 'adminPort' | 'hubPort' | 'hubAdminPort'>;

interface PortUse {
  readonly flag: string;
  readonly port: number;
  readonly service: 'groupcast-hub' | 'groupcast-gateway';
  /** Port on which the service says who it is. */
  readonly adminPort: number;
}

/** Checks that each port is free, or in use by the service that belongs there. */
export function checkPorts({ port, adminPort, hubPort, hubAdminPort }: Ports): Promise<Finding[]> {
  const gateway = { service: 'groupcast-gateway', adminPort } as const;
  const hub = { service: 'groupcast-hub', adminPort: hubAdminPort } as const;
  const uses: readonly PortUse[] = [
    { flag: '--port', port, ...gateway },
    { flag: '--admin-port', port: adminPort, ...gateway },
    { flag: '--hub-port', port: hubPort, ...hub },
    { flag: '--hub-admin-port', port: hubAdminPort, ...hub },
  ];
  return Promise.all(uses.map(checkPort));
}

async function checkPort(use: PortUse): Promise<Finding> {
  const { flag, port, service } = use;
  const check = `port ${port}`;
  const problem = await listenProblem(port);
  if (problem === undefined) return { state: 'ok', check, text: `Free, for ${service}.` };
  const pid = await pidOfService(use);
  if (pid !== undefined) return { state: 'ok', check, text: `In use by ${service}, process ${pid}.` };
  return { state: 'fault', check, text: listenErrorMessage(problem, LOCAL, port, flag) };
}

/** Listens for a moment. Returns the error of the system if it rejects that. */
async function listenProblem(port: number): Promise<unknown> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(port, LOCAL);
    await once(server, 'listening');
    const closed = once(server, 'close');
    server.close();
    await closed;
    return undefined;
  } catch (error) {
    return error;
  }
}

interface ServiceStats {
  readonly service: PortUse['service'];
  readonly pid: number;
  readonly listen: string;
}

/** Returns the process of the service if its admin port says that it uses this port. */
async function pidOfService({ service, port, adminPort }: PortUse): Promise<number | undefined> {
  try {
    const { pid, listen } = await fetchStats<ServiceStats>(LOCAL, adminPort, service);
    return port === adminPort || String(listen).endsWith(`:${port}`) ? pid : undefined;
  } catch (error) {
    if (error instanceof AdminError) return undefined;
    throw error;
  }
}

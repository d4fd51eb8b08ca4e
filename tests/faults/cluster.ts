import {
  type AppFlags,
  type AppOptions,
  freePort,
  killAll,
  startGateway,
  startHub,
  TcpProxy,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';

export interface ClusterOptions {
  readonly gateways: number;
  /** Workers of each gateway. */
  readonly workers: number;
  readonly hub: AppFlags;
  readonly gateway: AppFlags;
  /** Environment of the gateways' processes. */
  readonly app: AppOptions;
}

/** One gateway and the bad network around it. */
export interface ClusterGateway {
  /** Proxy between the gateway and the hub. */
  readonly link: TcpProxy;
  /** Proxy between the gateway and the clients that connect through it. */
  readonly front: TcpProxy;
  gateway: TestGateway;
  readonly restart: () => Promise<void>;
}

/** Seconds of a drain: long enough to be one, short enough for several in a test. */
const DRAIN_SECONDS = 1;

const DEFAULTS: ClusterOptions = {
  gateways: 1,
  workers: 2,
  hub: {},
  gateway: { drainSeconds: DRAIN_SECONDS },
  app: {},
};

/**
 * A hub, gateways with workers, and a proxy on each way between them: real processes on this
 * machine.
 */
export class Cluster {
  hub: TestHub;
  readonly gateways: readonly ClusterGateway[];
  readonly #hubFlags: AppFlags;

  private constructor(hub: TestHub, hubFlags: AppFlags, gateways: readonly ClusterGateway[]) {
    this.hub = hub;
    this.#hubFlags = hubFlags;
    this.gateways = gateways;
  }

  static async start(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
    const { gateways: count, workers, hub: hubFlags, gateway, app } = { ...DEFAULTS, ...options };
    const hub = await startHub(hubFlags);
    const starting = Array.from({ length: count }, () =>
      startClusterGateway(hub, { ...DEFAULTS.gateway, workers, ...gateway }, app),
    );
    return new Cluster(hub, hubFlags, await Promise.all(starting));
  }

  /** The first gateway with a worker. */
  get first(): ClusterGateway {
    const [first] = this.gateways;
    if (first === undefined) throw new Error('This cluster has no gateway.');
    return first;
  }

  /** URLs of the gateways, past the proxies. */
  get urls(): readonly string[] {
    return this.gateways.map(({ gateway }) => gateway.url);
  }

  /** Starts the hub again on its ports; the last one must have ended. */
  async restartHub(): Promise<void> {
    const { port, adminPort } = this.hub;
    this.hub = await startHub({ ...this.#hubFlags, port, adminPort });
  }

  /** URLs of the gateways through the proxies. */
  get frontUrls(): readonly string[] {
    return this.gateways.map(({ front }) => `ws://${front.address}`);
  }

  /** Kills all processes. */
  async close(): Promise<void> {
    await killAll();
    for (const { link, front } of this.gateways) await Promise.all([link.close(), front.close()]);
  }
}

async function startClusterGateway(hub: TestHub, flags: AppFlags, app: AppOptions): Promise<ClusterGateway> {
  const link = await TcpProxy.start({ target: hub.port });
  const port = await freePort();
  const front = await TcpProxy.start({ target: port });
  const all = { ...flags, hub: link.address, port };
  const started = {
    link,
    front,
    gateway: await startGateway(all, app),
    restart: async () => {
      const { adminPort } = started.gateway;
      started.gateway = await startGateway({ ...all, adminPort }, app);
    },
  };
  return started;
}
